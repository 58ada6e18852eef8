"""What sampling power costs the machine that is being measured."""
