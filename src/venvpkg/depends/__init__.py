"""From ELF facts to native dependencies, and back again to explain them."""
