"""The report used in a real browser: sorted, pointed at, picked from. Without chromium these tests skip."""

import re
from pathlib import Path

import pytest
from pages import cells, contrast
from playwright.sync_api import expect
from run_files import under_other_names

from job.report.page import write_report
from job.runs.run import find_run
from job.settings.sweep import Settings


def test_the_table_is_sorted_by_the_column_whose_head_is_pressed(finished, look):
    page = look(finished.run)
    assert cells(page, "trial") == ["l1-n32 ★", "l1-n8", "l1-n2"]
    head = page.locator("#leaderboard thead th", has_text="neurons")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert cells(page, "neurons") == ["2", "8", "32"]
    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert cells(page, "neurons") == ["32", "8", "2"]
    assert page.locator("#leaderboard th[aria-sort]").count() == 1


def test_trials_are_sorted_in_the_order_of_the_grid(finished, look, tmp_path):
    config = Settings(layers=(1,), neurons=(2,), learning_rate=(0.03, 0.1, 0.2), replicates=16, epochs=400)
    run = tmp_path / "runs" / "rates"
    under_other_names(finished.run, ("l1-n32", "l1-n2", "l1-n8"), config, run)
    write_report(find_run(str(run), "."))
    page = look(run)
    ranked = ["l1-n2-lr0.03", "l1-n2-lr0.2", "l1-n2-lr0.1"]
    assert [words.split()[0] for words in cells(page, "trial")] == ranked
    page.locator("#leaderboard thead th", has_text="trial").get_by_role("button").click()
    assert [words.split()[0] for words in cells(page, "trial")] == ["l1-n2-lr0.03", "l1-n2-lr0.1", "l1-n2-lr0.2"]


def test_a_number_that_the_data_do_not_reach_is_sorted_last_both_ways(finished, look):
    page = look(finished.run)
    button = page.locator("#leaderboard thead th", has_text="median").get_by_role("button")
    for _ in range(2):
        button.click()
        assert cells(page, "median")[-1].startswith(">400")


def test_pointing_at_a_cell_shows_its_intervals_and_so_does_the_keyboard(finished, look):
    page = look(finished.run)
    tip = page.get_by_role("tooltip", include_hidden=True)
    expect(tip).to_be_hidden()
    cell = page.locator("a.cell[data-trial='l1-n8']")
    cell.hover()
    expect(tip).to_be_visible()
    shown = tip.inner_text()
    assert shown.startswith("l1-n8\nmedian ")
    assert re.search(r"solved [\d.]+% \([\d.]+% to [\d.]+%\)", shown)
    page.mouse.move(2, 2)
    expect(tip).to_be_hidden()
    cell.focus()
    expect(tip).to_have_text(shown, use_inner_text=True)
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_the_cell_that_has_the_keyboards_focus_has_a_ring_that_shows_on_any_colour(finished, look):
    page = look(finished.run)
    for name in ("l1-n2", "l1-n32"):
        cell = page.locator(f"a.cell[data-trial='{name}']")
        rings = cell.locator(".focus")
        expect(cell.locator(".focus:visible")).to_have_count(0)
        cell.focus()
        expect(cell.locator(".focus:visible")).to_have_count(2)
        strokes = [ring.evaluate("ring => getComputedStyle(ring).stroke") for ring in rings.all()]
        widths = [
            float(ring.evaluate("ring => parseFloat(getComputedStyle(ring).strokeWidth)")) for ring in rings.all()
        ]
        assert contrast(*strokes) == pytest.approx(21)
        assert widths[0] - widths[1] >= 3
        assert widths[1] >= 3


def test_the_heat_map_shows_the_number_that_is_chosen(finished, look):
    page = look(finished.run)
    cell = page.locator("a.cell[data-trial='l1-n2']")

    shown = cell.locator("text:visible")
    expect(shown).to_have_text([">400"])
    page.get_by_role("radio", name="share of the starts").check()
    expect(shown).to_have_text([re.compile("%$")])
    page.get_by_role("radio", name="median epochs").check()
    expect(shown).to_have_text([">400"])


def test_the_reader_picks_the_trials_whose_curves_are_shown(paneled_sweep, look):
    page = look(paneled_sweep.run)
    boxes = page.locator("#picker input")

    def shown():
        return {line.get_attribute("data-trial") for line in page.locator(".survival .series:not([hidden])").all()}

    assert 0 < len(shown()) < boxes.count()
    page.get_by_role("button", name="None").click()
    assert shown() == set()
    for at in (7, 2, 5):
        boxes.nth(at).check()
    names = {boxes.nth(at).get_attribute("value") for at in (7, 2, 5)}
    assert shown() == names
    looks = {
        line.evaluate("line => { const s = getComputedStyle(line); return s.stroke + s.strokeDasharray; }")
        for line in page.locator(".survival .series:not([hidden]) .line").all()
    }
    assert len(looks) == 3
    boxes.nth(2).uncheck()
    assert shown() == names - {boxes.nth(2).get_attribute("value")}
    page.get_by_role("button", name="The best five").click()
    assert shown() == {boxes.nth(at).get_attribute("value") for at in range(5)}


def test_all_of_many_lines_can_be_told_apart_by_colour_or_dashes(paneled_sweep, look):
    page = look(paneled_sweep.run)
    for box in page.locator("#picker input").all():
        box.check()
    lines = page.locator(".survival .series .line").all()
    looks = [
        line.evaluate("line => { const s = getComputedStyle(line); return s.stroke + s.strokeDasharray; }")
        for line in lines
    ]
    assert len(set(looks)) == len(lines) == 8


def test_the_first_lines_are_told_apart_by_their_dashes_alone(paneled_sweep, look):
    page = look(paneled_sweep.run)
    page.get_by_role("button", name="None").click()
    for box in page.locator("#picker input").all()[:6]:
        box.check()
    lines = page.locator(".survival .series:not([hidden]) .line").all()
    dashes = {line.evaluate("line => getComputedStyle(line).strokeDasharray") for line in lines}
    assert len(dashes) == len(lines) == 6


def test_the_script_gives_lines_and_names_the_looks_and_places_that_they_have_without_it(paneled_sweep, look):
    seen = []
    for scripts in (True, False):
        page = look(paneled_sweep.run, java_script_enabled=scripts)
        shown = page.locator(".survival .series:not([hidden]), .survival .at:not([hidden])").all()
        seen.append(
            [
                [mark.get_attribute(name) for name in ("data-trial", "x", "y")]
                + sorted(mark.get_attribute("class").split())
                for mark in shown
            ]
        )
    assert len(seen[0]) >= 10
    assert seen[0] == seen[1]


def test_a_picked_trial_has_its_name_at_its_curve_within_the_plot(paneled_sweep, look):
    page = look(paneled_sweep.run)
    for box in page.locator("#picker input").all():
        box.check()
    drawn = page.locator("svg.survival").bounding_box()
    names = page.locator(".survival .at:not([hidden])").all()
    assert len(names) == 8
    for name in names:
        box = name.bounding_box()
        assert drawn["x"] < box["x"]
        assert box["x"] + box["width"] < drawn["x"] + drawn["width"]
    page.get_by_role("button", name="None").click()
    assert page.locator(".survival .at:not([hidden])").count() == 0


def test_a_trial_is_seen_up_close_by_its_cell_its_row_its_address_and_the_list(finished, look):
    page = look(finished.run)

    def expect_only(name):
        expect(page.locator(f"#trial-{name}")).to_be_visible()
        expect(page.locator("article.trial:visible")).to_have_count(1)

    expect_only("l1-n32")
    page.locator("a.cell[data-trial='l1-n8']").click()
    expect_only("l1-n8")
    page.locator("#leaderboard").get_by_role("link", name="l1-n2", exact=True).click()
    expect_only("l1-n2")
    page.get_by_label("Trial", exact=True).select_option("l1-n32")
    expect_only("l1-n32")
    page.goto(page.url.partition("#")[0] + "#trial-l1-n8")
    page.reload()
    expect_only("l1-n8")
    assert page.get_by_label("Trial", exact=True).input_value() == "l1-n8"


@pytest.mark.parametrize("name", ["%E0%A4%A", "l9-n9", ""])
def test_an_address_of_no_trial_leaves_the_page_as_it_is(finished, look, name):
    page = look(finished.run)
    page.goto(f"{page.url}#trial-{name}")
    page.reload()
    expect(page.locator("#trial-l1-n32")).to_be_visible()
    page.locator("#leaderboard thead th", has_text="neurons").get_by_role("button").click()
    assert cells(page, "neurons") == ["2", "8", "32"]


def test_the_program_is_copied(finished, look):
    page = look(finished.run, permissions=["clipboard-read", "clipboard-write"])
    article = page.locator("#trial-l1-n32")
    article.get_by_role("button", name="Copy").click()
    article.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == article.locator("pre").text_content()
    # Opened from a disk, the page knows the model's whole path: the program runs in any folder.
    assert copied.startswith("import keras")
    (model,) = re.findall(r'load_model\("(.*)"\)', copied)
    assert Path(model) == next(finished.run.glob("trials/l1-n32/*/model.keras"))


def test_what_is_read_out_of_the_curves_follows_what_is_picked(finished, look):
    page = look(finished.run)
    drawn, key = page.locator("svg.survival"), page.locator("#survival-key")
    page.get_by_role("button", name="None").click()
    assert key.inner_text().strip() == ""
    assert drawn.get_attribute("aria-label").endswith("by epoch. No trial is picked.")
    page.locator("#picker").get_by_text("l1-n2", exact=True).click()
    assert key.inner_text().strip() == "l1-n2"
    label = drawn.get_attribute("aria-label")
    assert "l1-n2: median >400 (" in label
    assert "l1-n32" not in label
