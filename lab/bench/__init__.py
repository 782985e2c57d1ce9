"""How fast Karya is beside what the same servers could do. Commands, not tests; all quantities are made up."""
