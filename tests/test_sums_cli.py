"""``casework sum``: what no record of the rulebook fixes, with its reckoning, and every input that it cannot use."""

from __future__ import annotations

from typing import Any

import pytest
from cli_helpers import CHINESE, casework


@pytest.mark.parametrize(("argv", "amount", "more"), [
    (("difference", "--paid", "199", "--lower", "159"), "40.00", {}),
    (("bundle", "--paid", "100", "--part", "60", "--part", "60", "--part", "30", "--returned", "3"), "20.00",
     {"shares": ["40.00", "40.00", "20.00"]}),
    (("bundle", "--paid", "100", "--part", "1", "--part", "1", "--part", "1", "--returned", "1", "--returned", "2"), "66.67",
     {"shares": ["33.34", "33.33", "33.33"]}),
    (("repriced", "--paid", "100", "--kept", "60"), "40.00", {}),
    (("repriced", "--paid", "100", "--kept", "60", "--kept", "60"), "0.00", {}),
    (("recovery", "--advance", "300", "--deposit", "120.50"), "120.50", {"shortfall": "179.50"}),
    (("recovery", "--advance", "300", "--deposit", "1000"), "300.00", {"shortfall": "0.00"}),
    (("freight", "--fault", "merchant"), None, {"out": "merchant", "back": "merchant"}),
    (("freight", "--fault", "none", "--free-shipping"), None, {"out": "merchant", "back": "consumer"}),
    (("freight", "--fault", "none"), None, {"out": "consumer", "back": "consumer"}),
    (("freight", "--fault", "unclear"), None, {"out": "merchant", "back": "consumer"}),
])
def test_what_it_comes_to_and_why(argv: tuple[str, ...], amount: str | None, more: dict[str, Any]) -> None:
    found = casework("sum", *argv, "--json").ok().document()
    assert (found["sum"], found["amount"]) == (argv[0], amount)
    assert {key: found[key] for key in more} == more
    assert found["clause"] and all(CHINESE.search(s["zh"]) and not CHINESE.search(s["en"]) for s in found["steps"])
    for lang in ("zh", "en"):
        shown = casework("sum", *argv, lang=lang).ok().out
        assert found["clause"] in shown and all(s[lang] in shown for s in found["steps"])
        assert amount is None or amount in shown


@pytest.mark.parametrize(("argv", "en", "zh"), [
    (("difference", "--paid", "199"), "casework: difference needs --lower; add it", "需要 --lower；请加上"),
    (("difference", "--paid", "199", "--lower", "200"), "--lower: is more than what was paid", "--lower：高于实付"),
    (("difference", "--paid", "-1", "--lower", "0"), "--paid: is less than nothing", "--paid：金额不能为负"),
    (("bundle", "--paid", "100", "--part", "1", "--returned", "2"),
     "--returned: the parts are 1 to 1", "--returned：只有第 1 至 1 件"),
    (("bundle", "--paid", "100", "--part", "0", "--returned", "1"), "--part: are all nothing", "--part：不能全为零"),
    (("repriced", "--paid", "1e3", "--kept", "1"), "--paid: write yuan", "--paid：请写金额"),
    (("recovery", "--advance", "1", "--deposit", "2", "--paid", "1"), "--paid: has no place in recovery",
     "--paid：不用于 recovery"),
    (("freight", "--fault", "merchant", "--kept", "1"), "--kept: has no place in freight", "--kept：不用于 freight"),
    (("freight",), "casework: freight needs --fault", "需要 --fault"),
    (("nothing",), "'nothing' is not one of", "KIND 须为以下之一"),
])
def test_what_cannot_be_reckoned_is_one_line_that_names_the_option(argv: tuple[str, ...], en: str, zh: str) -> None:
    for lang, text in (("en", en), ("zh", zh)):
        ran = casework("sum", *argv, lang=lang)
        assert (ran.status, ran.out, ran.err.count("\n")) == (2, "", 1) and text in ran.err
