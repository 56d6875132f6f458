"""The base of errors that become an answer: a status and a sentence."""


class Refusal(Exception):
    """Why a request is not done. Raised in a view it becomes the answer.

    Its text is a sentence for people that names the remedy.

    :param status: the HTTP status, where it is not that of the class.
    :param retry_after: seconds for the header of that name.
    """

    status = 400
    retry_after: int | None = None

    def __init__(self, sentence: str, status: int | None = None, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        if status is not None:
            self.status = status
        if retry_after is not None:
            self.retry_after = retry_after
