"""What the benchmark prints: its medians, and whether they reach their targets."""

PAIRS_OF_A_SENTENCE = (1, 2, 4, 8)
STAGES = ("training", "prediction")


def targets(result: dict) -> list[dict]:
    """Compares the medians at bert-base size on a CPU with their targets."""
    shares = result["hypergraph"]["share_of_training_step"]
    rows = [("share of the hypergraph part in a training step", shares["ours"], "at most", 0.03)]
    for stage in STAGES:
        eight = result["pairs_in_one_sentence"][stage]["ours"]["8"]["times_one_pair"]
        rows.append((f"{stage} with 8 pairs, times that with 1", eight, "at most", 1.15))
    if "naive" in result["training"]:
        rows.append(("training, naive, times ours", result["training"]["naive"]["times_ours"], "at least", 6))
    return [
        {
            "what": what,
            "value": value["median"],
            "to_be": f"{side} {limit}",
            "reached": value["median"] <= limit if side == "at most" else value["median"] >= limit,
        }
        for what, value, side, limit in rows
    ]


def table(result: dict) -> str:
    """Renders the medians as text."""
    lines = [f"{'':27}{'ms a pair':>10}{'times ours':>12}{'peak MiB':>10}{'above weights':>15}"]
    for stage in STAGES:
        for variant, row in result[stage].items():
            lines.append(
                f"{stage:13}{variant:14}{row['ms_per_pair']['median']:10.2f}{row['times_ours']['median']:12.2f}"
                f"{row['peak_mib']:10.0f}{row['peak_above_weights_mib']:15.0f}"
            )
    heads = (f"{pairs} pairs: ms, times 1" for pairs in PAIRS_OF_A_SENTENCE)
    lines += ["", f"{'one sentence':27}" + "".join(f"{head:>24}" for head in heads)]
    for stage in STAGES:
        for variant, row in result["pairs_in_one_sentence"][stage].items():
            cells = (f"{cell['ms']['median']:17.1f}{cell['times_one_pair']['median']:7.2f}" for cell in row.values())
            lines.append(f"{stage:13}{variant:14}" + "".join(cells))
    shares = result["hypergraph"]["share_of_training_step"]
    lines += ["", *(f"hypergraph part of a step, {name}: {share['median']:.2%}" for name, share in shares.items())]
    for target in result["targets"]:
        outcome = "reached" if target["reached"] else "missed"
        lines.append(f"{outcome}: {target['what']}: {target['value']:.3f}, to be {target['to_be']}")
    return "\n".join(lines)
