"""Training and evaluation of VM-HAN and of the systems it is compared with."""
