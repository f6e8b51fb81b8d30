"""The steps of the shop."""

from steps import Step

SHOP = [
    Step("announce", soft_after=("chat-login",)),
    Step("start-web", after=("migrate", "unpack")),
    Step("migrate", after=("backup",)),
    Step("unpack"),
    Step("warm-cache", after=("start-web",), soft_after=("announce",)),
    Step("backup", soft_after=("announce",)),
]
