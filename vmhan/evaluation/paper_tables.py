"""Tables 1 and 2 of the VM-HAN paper, in percent, None where it gives no figure.

They are for comparison and for checks (`vmhan.evaluation.consistency`), not to be trusted.
"""

from typing import NamedTuple


class ReportedRow(NamedTuple):
    """A line of a table: accuracy over all rows; micro-averages over relations other than "None"."""

    name: str
    accuracy: float | None
    precision: float
    recall: float
    f1: float


#: Table 1, MNRE.
MAIN_MNRE = (
    ReportedRow("Glove+CNN", 70.32, 57.81, 46.25, 51.39),
    ReportedRow("PCNN", 72.67, 62.85, 49.69, 55.49),
    ReportedRow("MTB", 72.73, 64.46, 57.81, 60.96),
    ReportedRow("GCN", 73.64, 63.70, 67.41, 65.50),
    ReportedRow("GAT", 78.50, 67.26, 70.37, 68.78),
    ReportedRow("HGNN", 83.21, 71.92, 73.94, 72.92),
    ReportedRow("BERT+SG", 74.09, 62.95, 62.65, 62.80),
    ReportedRow("BERT+SG+Att.", 74.59, 60.97, 66.56, 63.64),
    ReportedRow("VisualBERT", None, 57.15, 59.45, 58.30),
    ReportedRow("MEGA", 76.15, 64.51, 68.44, 66.41),
    ReportedRow("HVPNet", 90.95, 83.64, 80.78, 81.85),
    ReportedRow("MKGformer", 83.36, 82.40, 81.73, 82.06),
    ReportedRow("MOREformer", 82.67, 82.19, 82.35, 82.27),
    ReportedRow("DGF-PT", 84.25, 84.35, 83.83, 84.47),
    ReportedRow("TMR", 87.35, 84.48, 83.66, 84.07),
    ReportedRow("HVFormer", None, 84.14, 82.65, 83.39),
    ReportedRow("CAMIM", 89.42, 84.27, 84.90, 84.58),
    ReportedRow("VM-HAN", 94.03, 86.25, 85.36, 85.80),
)

#: Table 2, MNRE.
ABLATIONS_MNRE = (
    ReportedRow("w/o Multi-Modal Hypergraph", 91.12, 83.05, 80.34, 81.67),
    ReportedRow("w/o Variational Representation", 93.01, 82.41, 81.03, 81.71),
    ReportedRow("w/o V-HAN", 89.36, 81.50, 81.59, 81.54),
    ReportedRow("w/o KL Loss", 93.78, 84.93, 84.05, 84.49),
    ReportedRow("w/o Text LLM Enhancement", 93.79, 85.65, 84.14, 84.89),
    ReportedRow("w/o Visual LLM Enhancement", 93.90, 85.69, 85.13, 85.41),
    ReportedRow("w/o Global Hypergraph", 93.68, 85.43, 82.32, 83.85),
    ReportedRow("w/o Intra-modal Hypergraph", 93.61, 84.77, 84.72, 84.74),
    ReportedRow("w/o Inter-modal Hypergraph", 93.25, 84.18, 83.44, 83.81),
    ReportedRow("repl. HGNN", 89.01, 81.45, 80.43, 80.94),
    ReportedRow("repl. Variational GCN", 89.58, 81.10, 81.25, 81.18),
    ReportedRow("repl. GCN", 90.64, 80.39, 81.69, 81.03),
    ReportedRow("repl. GAT", 90.62, 81.84, 81.31, 81.57),
)

#: Table 1, MORE.
MAIN_MORE = (
    ReportedRow("Glove+CNN", 60.23, 27.87, 31.65, 29.64),
    ReportedRow("PCNN", 59.35, 28.02, 38.31, 32.37),
    ReportedRow("MTB", 60.19, 29.40, 40.37, 34.02),
    ReportedRow("GCN", 78.28, 59.57, 59.10, 59.33),
    ReportedRow("GAT", 79.26, 58.52, 60.49, 59.49),
    ReportedRow("HGNN", 81.94, 62.27, 61.05, 61.65),
    ReportedRow("BERT+SG", 61.79, 29.61, 41.27, 34.48),
    ReportedRow("BERT+SG+Att.", 63.74, 31.10, 39.28, 34.71),
    ReportedRow("VisualBERT", 82.84, 58.18, 61.22, 59.66),
    ReportedRow("MEGA", 65.97, 33.30, 38.53, 35.72),
    ReportedRow("HVPNet", 72.40, 61.47, 65.26, 63.31),
    ReportedRow("MKGformer", 80.17, 55.76, 53.74, 54.73),
    ReportedRow("MOREformer", 83.50, 62.18, 63.34, 62.75),
    ReportedRow("DGF-PT", 82.35, 60.51, 62.82, 61.64),
    ReportedRow("TMR", 83.19, 62.57, 64.70, 63.62),
    ReportedRow("CAMIM", 83.42, 63.32, 65.15, 64.22),
    ReportedRow("VM-HAN", 85.91, 65.37, 67.12, 66.23),
)

#: Table 2, MORE.
ABLATIONS_MORE = (
    ReportedRow("w/o Multi-Modal Hypergraph", 83.67, 62.14, 62.89, 62.51),
    ReportedRow("w/o Variational Representation", 83.43, 62.52, 65.18, 63.81),
    ReportedRow("w/o V-HAN", 81.52, 60.69, 61.40, 61.05),
    ReportedRow("w/o KL Loss", 84.59, 63.36, 64.53, 63.94),
    ReportedRow("w/o Text LLM Enhancement", 84.78, 65.03, 66.57, 65.79),
    ReportedRow("w/o Visual LLM Enhancement", 85.54, 65.07, 66.42, 65.73),
    ReportedRow("w/o Global Hypergraph", 84.52, 63.76, 65.38, 64.56),
    ReportedRow("w/o Intra-modal Hypergraph", 84.90, 63.78, 65.81, 64.79),
    ReportedRow("w/o Inter-modal Hypergraph", 84.55, 63.12, 65.33, 64.21),
    ReportedRow("repl. HGNN", 81.76, 61.64, 63.75, 62.69),
    ReportedRow("repl. Variational GCN", 82.59, 60.30, 62.51, 61.39),
    ReportedRow("repl. GCN", 82.31, 61.58, 63.52, 62.54),
    ReportedRow("repl. GAT", 82.93, 61.35, 63.16, 62.24),
)

#: The gains over the second best that the arrows of Table 1 claim for VM-HAN.
GAINS_MNRE = ReportedRow("VM-HAN", 3.08, 1.77, 1.46, 1.73)
GAINS_MORE = ReportedRow("VM-HAN", 2.41, 2.05, 1.97, 2.01)
