"""Tables over frozen rows: one model, columns as data, cells that paint."""
