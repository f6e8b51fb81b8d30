# Looks at the first digit before the upper limit, so twelve digits can get the message meant for eleven.
import re


class PhoneNumber:
    def __init__(self, number):
        if re.search("[a-zA-Z]", number):
            raise ValueError("letters not permitted")
        if re.search(r"[^0-9 .()+-]", number):
            raise ValueError("punctuations not permitted")

        digits = re.sub("[^0-9]", "", number)
        if len(digits) < 10:
            raise ValueError("must not be fewer than 10 digits")
        if len(digits) > 10:
            if digits[0] != "1":
                raise ValueError("11 digits must start with 1")
            digits = digits[1:]
        if len(digits) > 10:
            raise ValueError("must not be greater than 11 digits")

        self.number = digits
        self.area_code, exchange = digits[:3], digits[3:6]
        self._refuse_start("area code", self.area_code)
        self._refuse_start("exchange code", exchange)

    @staticmethod
    def _refuse_start(label, code):
        for digit, word in (("0", "zero"), ("1", "one")):
            if code.startswith(digit):
                raise ValueError(f"{label} cannot start with {word}")

    def pretty(self):
        return f"({self.area_code})-{self.number[3:6]}-{self.number[6:]}"
