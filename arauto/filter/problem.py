"""Why a filter cannot be used."""

from arauto.refusal import Refusal


class Problem(Refusal):
    """The text is a sentence to be shown.

    :param word: the page's name for it, see ``tests/data/filter_cases.json``.
    """

    def __init__(self, word: str, sentence: str) -> None:
        super().__init__(sentence)
        self.word = word
