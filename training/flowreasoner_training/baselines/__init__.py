"""Methods that the paper compares with (Table 1) and that train weights of their own; each imports torch."""
