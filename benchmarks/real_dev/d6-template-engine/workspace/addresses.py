"""How addresses are written on envelopes."""


def envelope(name: str, street: str, town: str) -> str:
    return "\n".join(part.strip() for part in (name, street, town) if part.strip())
