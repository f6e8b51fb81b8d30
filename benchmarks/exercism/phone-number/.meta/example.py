DECORATION = " .-()+"


class PhoneNumber:
    def __init__(self, number):
        self.number = self._ten_digits(number)
        self.area_code = self.number[:3]
        self._check_start("area code", self.area_code)
        self._check_start("exchange code", self.number[3:6])

    def pretty(self):
        return f"({self.area_code})-{self.number[3:6]}-{self.number[6:]}"

    @staticmethod
    def _ten_digits(text):
        if any(char.isalpha() for char in text):
            raise ValueError("letters not permitted")
        if any(char not in "0123456789" + DECORATION for char in text):
            raise ValueError("punctuations not permitted")

        digits = "".join(char for char in text if char not in DECORATION)
        if len(digits) < 10:
            raise ValueError("must not be fewer than 10 digits")
        if len(digits) > 11:
            raise ValueError("must not be greater than 11 digits")
        if len(digits) == 11:
            if digits[0] != "1":
                raise ValueError("11 digits must start with 1")
            return digits[1:]
        return digits

    @staticmethod
    def _check_start(label, code):
        if code[0] in "01":
            word = "zero" if code[0] == "0" else "one"
            raise ValueError(f"{label} cannot start with {word}")
