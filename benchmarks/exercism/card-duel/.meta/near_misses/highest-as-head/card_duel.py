# Compares stairs by their highest rank, not by the rank at which they end.
from collections import Counter
from itertools import combinations

HIGHEST = 12
SUITS = "SFKL"

Card = tuple[int, str]
Strength = tuple[int, list[int]]

PACK = [(rank, suit) for rank in range(1, HIGHEST + 1) for suit in SUITS]
KINDS = ["nothing", "pair", "parity", "pairs", "three", "stair", "house", "flood", "four", "beacon"]
SAME_RANKS = {(4, 1): "four", (3, 2): "house", (3, 1, 1): "three", (2, 2, 1): "pairs", (2, 1, 1, 1): "pair"}


def winners(hands: list[str]) -> list[str]:
    strengths = [_best_strength(hand) for hand in hands]
    best = max(strengths)
    return [hand for hand, strength in zip(hands, strengths) if strength == best]


def _best_strength(hand: str) -> Strength:
    texts = hand.split()
    cards = [(int(text[:-1]), text[-1]) for text in texts if text != "*"]
    others = [card for card in PACK if card not in cards]
    return max(_strength([*cards, *jokers]) for jokers in combinations(others, texts.count("*")))


def _strength(cards: list[Card]) -> Strength:
    counts = Counter(rank for rank, _ in cards)
    ranks = sorted(counts.elements(), key=lambda rank: (counts[rank], rank), reverse=True)
    one_suit = len({suit for _, suit in cards}) == 1
    head = _head(set(counts))
    if head is not None:
        return KINDS.index("beacon" if one_suit else "stair"), [head]
    kinds = [SAME_RANKS.get(tuple(sorted(counts.values(), reverse=True)), "nothing")]
    if one_suit:
        kinds.append("flood")
    if len({rank % 2 for rank in ranks}) == 1:
        kinds.append("parity")
    return max(map(KINDS.index, kinds)), ranks


def _head(ranks: set[int]) -> int | None:
    """The rank at which these ranks end if they are a stair."""
    for head in ranks:
        if ranks == {(head - step - 1) % HIGHEST + 1 for step in range(5)}:
            return max(ranks)
    return None
