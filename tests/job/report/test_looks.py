"""How the report looks in a real browser: narrow, wide, printed, light, dark, read out. These skip without it."""

import re

import pytest
from pages import cells, contrast
from playwright.sync_api import expect
from run_files import under_other_names

from job.report.page import write_report
from job.runs.run import find_run
from job.settings.sweep import Settings

LIGHT, DARK = "rgb(255, 255, 255)", "rgb(18, 20, 24)"


@pytest.mark.parametrize("width", [360, 768, 1920])
def test_nothing_overflows_the_page(finished, paneled_sweep, look, width):
    for run in (finished.run, paneled_sweep.run):
        page = look(run, width=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.fixture
def wide_run(finished, tmp_path):
    """Real results under the names of a grid of 25 columns."""
    config = Settings(layers=(1, 2), neurons=tuple(range(1, 26)), replicates=16, epochs=400)
    run = tmp_path / "runs" / "wide"
    under_other_names(finished.run, ("l1-n2", "l1-n8", "l1-n32"), config, run)
    write_report(find_run(str(run), "."))
    return run


def test_a_grid_of_25_columns_is_seen_whole_on_the_screen_and_in_print(wide_run, look):
    page = look(wide_run)
    panel = page.locator("#grid .panel")
    assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")
    page.set_viewport_size({"width": 700, "height": 900})
    page.emulate_media(media="print")
    assert panel.locator("svg.heatmap").bounding_box()["width"] <= 700


@pytest.mark.parametrize("metric", ["median", "share of the starts"])
def test_the_words_in_the_cells_of_a_wide_grid_fit(wide_run, look, metric):
    page = look(wide_run)
    page.get_by_role("radio", name=metric).check()
    cells = page.locator(".heatmap .cell").all()
    assert len(cells) == 50
    for cell in cells:
        (words,) = [text.bounding_box() for text in cell.locator("text").all() if text.is_visible()]
        face = next(rect.bounding_box() for rect in cell.locator("rect").all() if rect.is_visible())
        assert face["x"] <= words["x"]
        assert words["x"] + words["width"] <= face["x"] + face["width"]
        assert face["y"] <= words["y"]
        assert words["y"] + words["height"] <= face["y"] + face["height"]


def test_on_a_telephone_the_leaderboards_numbers_are_seen_and_what_goes_on_fades(paneled_sweep, look):
    page = look(paneled_sweep.run, width=360)
    box = page.locator("#leaderboard .scroll")
    edge = box.bounding_box()["x"] + box.bounding_box()["width"]
    row = page.locator("#leaderboard tbody tr").first
    trial, median, spread = (row.locator("th, td").nth(place).bounding_box() for place in (1, 2, 3))
    assert trial["x"] + trial["width"] <= median["x"] + 1
    assert median["x"] + median["width"] <= edge
    assert spread["x"] < edge
    faded = box.evaluate("box => getComputedStyle(box).maskImage")
    assert "calc(100% - 40px)" in faded
    box.evaluate("box => { box.scrollLeft = box.scrollWidth; }")
    page.wait_for_function(
        "box => box.classList.contains('before') && !box.classList.contains('after')", arg=box.element_handle()
    )
    assert box.evaluate("box => getComputedStyle(box).maskImage") not in ("none", faded)


def test_only_what_goes_on_to_a_side_fades(paneled_sweep, look):
    for width in (360, 1200):
        page = look(paneled_sweep.run, width=width)
        boxes = [box for box in page.locator(".scroll").all() if box.is_visible()]
        assert len(boxes) > 5
        for box in boxes:
            over = box.evaluate("box => box.scrollWidth > box.clientWidth + 1")
            assert (box.evaluate("box => getComputedStyle(box).maskImage") != "none") == over


@pytest.mark.parametrize("picture", ["accuracy", "times"])
def test_a_plots_legend_is_seen_whole_on_a_telephone(paneled_sweep, look, picture):
    page = look(paneled_sweep.run, width=360)
    wanted = {
        "accuracy": ("the first start", "mean", "10% to 90%"),
        "times": ("compilation", "training", "writing"),
    }
    for words in wanted[picture]:
        entry = page.locator(f"svg.{picture}").first.locator("text", has_text=words).first.bounding_box()
        assert entry["x"] + entry["width"] <= 360


def mixed(colour, ground, opacity):
    pairs = zip(*(map(int, re.findall(r"\d+", words)[:3]) for words in (colour, ground)), strict=True)
    return " ".join(str(round(over * opacity + under * (1 - opacity))) for over, under in pairs)


@pytest.mark.parametrize(("scheme", "ground"), [("light", LIGHT), ("dark", DARK)])
def test_words_and_lines_have_contrast_in_light_and_dark(paneled_sweep, look, scheme, ground):
    page = look(paneled_sweep.run, color_scheme=scheme)
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == ground
    for box in page.locator("#picker input").all():
        box.check()
    words = [
        ("p.verdict", "color"),
        (".soft", "color"),
        ("figcaption", "color"),
        ("main a", "color"),
        (".survival text.tick", "fill"),
        ("thead button", "color"),
    ]
    lines = [(f".survival .series.s{slot} .line", "stroke") for slot in range(7)]
    marks = [
        *((f".interval{kind} .thick", "stroke") for kind in ("", ".best", ".worse")),
        (".interval .dot", "stroke"),
        (".start.first", "stroke"),
        ("path.start:not(.first)", "stroke"),
        (".dot.start:not(.first)", "fill"),
        (".middle", "stroke"),
        *((f".time.{part}", "fill") for part in ("start", "compile", "train", "other")),
        *((f".weight.{sign}.w{strength}", "stroke") for sign in ("positive", "negative") for strength in range(5)),
    ]
    for least, kind in ((4.5, words), (3, lines), (3, marks)):
        for selector, name in kind:
            mark = page.locator(selector).first
            colour = mark.evaluate("(mark, name) => getComputedStyle(mark)[name]", name)
            opacity = float(mark.evaluate("mark => getComputedStyle(mark).opacity"))
            seen = mixed(colour, ground, opacity)
            assert contrast(seen, ground) >= least, f"{selector}: {seen} on {ground}"


def test_the_words_in_the_heat_maps_cells_have_contrast(paneled_sweep, look):
    page = look(paneled_sweep.run)
    for cell in page.locator("a.cell").all():
        for metric in ("median", "solved"):
            face = cell.locator(f"rect.only-{metric}").evaluate("mark => getComputedStyle(mark).fill")
            ink = cell.locator(f"text.only-{metric}").evaluate("mark => getComputedStyle(mark).fill")
            assert contrast(face, ink) >= 4.5


def test_all_that_can_be_used_can_be_reached_by_the_keyboard_and_has_a_name(finished, look):
    page = look(finished.run)
    reached = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        words = page.evaluate(
            "(() => { const e = document.activeElement; if (e === document.body) return null;"
            " return (e.tagName + ' ' + (e.getAttribute('aria-label') || e.labels?.[0]?.innerText"
            " || e.textContent || e.value)).trim(); })()"
        )
        if words is None:
            break
        assert len(words.split()) > 1, f"{words} has no name"
        reached.add(words.split("\n")[0])
    kinds = {words.split()[0].lower() for words in reached}
    assert {"a", "button", "input", "select", "div"} <= kinds
    assert any(words.startswith("a l1-n8, median") for words in reached)


def test_every_picture_has_words_for_who_does_not_see_it(finished, look):
    page = look(finished.run)
    pictures = page.locator("svg.picture").all()
    assert len(pictures) > 10
    for picture in pictures:
        assert picture.get_attribute("role") in ("img", "group")
        assert picture.get_attribute("aria-label")
    for picture in page.locator("svg:not(.picture)").all():
        assert picture.get_attribute("aria-hidden") == "true"


def test_without_scripts_the_page_has_its_numbers_its_pictures_and_its_links(finished, look):
    page = look(finished.run, java_script_enabled=False)
    expect(page.locator("p.verdict")).to_be_visible()
    expect(page.get_by_role("button", name="None")).to_be_hidden()
    assert cells(page, "trial") == ["l1-n32 ★", "l1-n8", "l1-n2"]
    page.locator("#leaderboard").get_by_role("link", name="l1-n8", exact=True).click()
    expect(page.locator("#trial-l1-n8")).to_be_visible()


def test_the_printed_page_is_dark_on_light_has_all_its_parts_and_no_controls(finished, look, tmp_path):
    page = look(finished.run, color_scheme="dark")
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == LIGHT
    for control in ("nav", "#trial-choice", "button[data-copy]", "button[data-pick]"):
        expect(page.locator(control).first).to_be_hidden()
    for part in ("p.verdict", ".survival", "article.trial.shown .network", "#leaderboard table", ".times"):
        expect(page.locator(part).first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_alone_follows_light_and_dark(finished, chromium, scheme):
    context = chromium.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto((finished.run / "report" / "survival.svg").as_uri())
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    ink = page.locator("text").first.evaluate("mark => getComputedStyle(mark).fill")
    context.close()
    assert ground == {"light": LIGHT, "dark": DARK}[scheme]
    assert contrast(ground, ink) >= 4.5
