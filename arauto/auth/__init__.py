"""Who a visitor is, and what each may do."""
