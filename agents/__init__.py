"""Who does it: thin Faust agents. They take a batch, call the ledger, and hand on what changed."""
