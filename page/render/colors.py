"""Colours that colour-blind people can tell apart: Okabe and Ito's, without the yellow that white drowns."""

CATEGORIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
