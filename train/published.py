"""Figures in print: Tables 1 and 2 of the VM-HAN paper, in percent, None where it gives none.

They are there to be compared with and to be checked (`train.consistency`), not to be trusted.
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
