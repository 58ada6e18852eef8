"""Binary layers that all models share: their training form, their inference form and the torch ops these call."""
