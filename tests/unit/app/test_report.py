"""`samtale report`: figures as people and programs read them."""

from collections import Counter

from app.report import survey_rows, table
from store.sql.queries.reports import SurveyFigures

FIGURES = SurveyFigures("csat", "faces", asked=4, seen=3, answered=2, expired=1, scores=Counter({2: 1, 0: 1}))


def test_a_survey_is_one_row_with_rates_and_distribution() -> None:
    """Counts as counts, rates from nought to one."""
    [row] = survey_rows({("csat", "faces", "ios"): FIGURES}, "platform")
    assert (row["platform"], row["asked"], row["csat"], row["scores"]) == ("ios", 4, 0.5, {"0": 1, "2": 1})


def test_the_table_shows_percent_and_a_dash_where_there_is_nothing() -> None:
    """People read shares in percent; what nobody could do is not zero percent."""
    nobody = SurveyFigures("empty", "ten")
    shown = table(survey_rows({("csat", "faces"): FIGURES, ("empty", "ten"): nobody}, "")).splitlines()
    assert shown[1].split()[:8] == ["csat", "faces", "4", "3", "2", "1", "0", "0"]
    assert "50%" in shown[1]
    assert shown[2].split()[-4:] == ["–", "–", "–", "–"]


def test_an_empty_report_says_so() -> None:
    """Not a blank page."""
    assert table([]) == "nothing yet"
