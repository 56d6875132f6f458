"""The base of errors that become a response: a status and a sentence."""


class Refusal(Exception):
    """A refused request. Raised in a view it becomes the response.

    Its text is a sentence to be shown that names the remedy.

    :param status: the HTTP status, if it is not that of the class.
    :param retry_after: seconds for the header Retry-After.
    """

    status = 400
    retry_after: int | None = None

    def __init__(self, sentence: str, status: int | None = None, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        if status is not None:
            self.status = status
        if retry_after is not None:
            self.retry_after = retry_after
