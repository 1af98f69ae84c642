"""What a reader sees when something goes wrong: a page in the reader's language, and the way on."""

from fastapi import Request, Response

from stadthub_api.portal.language import bare, language_of
from stadthub_api.portal.rendering import page as render
from stadthub_api.problems import Problem

#: For the reader, by status: what to do now. German, translated when shown.
ADVICE = {
    400: "Bitte prüfen Sie die Adresse oder die Filter.",
    401: "Für diese Seite brauchen Sie einen Zugangsschlüssel.",
    403: "Ihr Zugangsschlüssel reicht dafür nicht aus.",
    404: "Vielleicht wurde die Seite verschoben, oder die Adresse enthält einen Tippfehler.",
    503: "Bitte versuchen Sie es in einigen Sekunden noch einmal.",
}
LATER = "Der Fehler wurde aufgezeichnet. Bitte versuchen Sie es später noch einmal."


def page(request: Request, problem: Problem) -> Response:
    """The problem as a page; where a token is missing on the operator's pages, the form to sign in."""
    status = problem.kind.status
    if status == 401 and bare(request.url.path).startswith("/operator"):
        return render(request, "sign_in.html", {"wrong": False, "after": request.url.path}, status)
    title = problem.kind.title if language_of(request.url.path) == "en" else problem.kind.title_de
    return render(
        request, "error.html", {"status": status, "title": title, "detail": problem.detail, "advice": ADVICE.get(status, LATER)}, status
    )
