"""Every template, filled in with its own examples, is a right feed file, and says in both languages what it is."""

from pathlib import Path

import pytest

from stadthub_pipelines.describing import lacking, metadata_of
from stadthub_pipelines.drafting import changed, opened, written
from stadthub_pipelines.mistakes import check_text
from stadthub_pipelines.templates import Template, filled, template, templates
from stadthub_schemas.errors import FeedError, NotFound

WORDS = {
    "license": "dl-de-by-2.0",
    "publisher.title": "Stadt Musterstadt",
    "contact.name": "Open Data",
    "access": "public",
    "release.by": "Amt",
    "release.date": "2026-01-01",
    "release.legal_basis": "§ 12a EGovG",
}


def rendered(one: Template) -> str:
    """The template as a whole feed file."""
    feed = filled(one, {question.name: question.example for question in one.questions})
    text = written({"id": "probe", "title": "Probe", "dataset": "probe", **feed}, {})
    return changed(text, "metadata", {**metadata_of(WORDS), **feed["metadata"]})


@pytest.mark.parametrize("name", templates())
def test_a_template_with_its_examples_is_a_right_feed_file(name: str) -> None:
    text = rendered(template(name))
    checked = check_text(text, Path("probe.toml"), [])
    assert checked.mistakes == ()
    assert checked.feed is not None
    assert lacking(opened(text).unwrap()["metadata"], checked.feed.decoder) == []
    assert "<<" not in text


@pytest.mark.parametrize("one", templates().values(), ids=templates())
def test_a_template_speaks_both_languages_and_its_defaults_fit(one: Template) -> None:
    assert all(said.de and said.en for said in (one.title, one.description, *(question.words for question in one.questions)))
    filled(one, {question.name: question.default or question.example for question in one.questions})


def test_wrong_answers_are_all_told_with_an_example() -> None:
    with pytest.raises(FeedError) as caught:
        filled(template("pegelonline"), {"station": "../../x", "thing": 'a"b'})
    assert str(caught.value).splitlines()[0].startswith("station: id of the gauge (UUID): write it such as 593647aa-")
    assert len(str(caught.value).splitlines()) == 4


def test_an_answer_can_not_break_out_of_its_place() -> None:
    feed = filled(
        template("json-car-parks"),
        {"url": "https://x.example/a", "rows": 'x", id = "y', "key": "i", "label": "n", "free": "f", "capacity": "c"},
    )
    text = written({"id": "probe", "title": "Probe", "dataset": "probe", **feed}, {})
    assert opened(text)["id"] == "probe"


def test_an_unknown_template_names_the_others() -> None:
    with pytest.raises(NotFound, match="there are bright-sky, chirpstack-application"):
        template("nothing")
