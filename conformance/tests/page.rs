//! The page of a report in a browser: everything on it can be clicked, and nothing goes wrong.
//!
//! Needs Chromium (its path in `CHROMIUM`, or on the path); says so and is skipped without. Pictures are kept beside the built tests,
//! in `pages/`.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Folder, command, recordings, small};

/// Clicks through a page and writes down what it came to.
const CLICKS: &str = r##"<script>
const went = [], wrong = [];
addEventListener("error", (event) => wrong.push(event.message));
addEventListener("load", () => setTimeout(() => {
  for (const link of document.querySelectorAll(".bar a")) {
    link.click();
    if (!document.querySelector(link.getAttribute("href"))) wrong.push("nowhere: " + link.hash);
  }
  for (const more of document.querySelectorAll("details")) more.querySelector("summary").click();
  setTimeout(() => {
    const find = document.querySelector("[data-filter] input[type=search]");
    if (find) {
      const rows = () => [...document.querySelectorAll("#rule-table tbody tr")].filter((row) => !row.hidden).length;
      const all = rows();
      find.value = "T10 "; find.value = "execute"; find.dispatchEvent(new Event("input", { bubbles: true }));
      if (!(rows() > 0 && rows() < all)) wrong.push("the filter keeps " + rows() + " of " + all);
      went.push("filter");
    }
    for (const on of document.querySelectorAll("[data-says]")) on.focus();
    const says = document.querySelector("[data-picture] .says");
    if (says && !says.textContent.includes("\u2192")) wrong.push("the graph says " + says.textContent);
    const before = getComputedStyle(document.body).backgroundColor;
    document.getElementById("theme").click();
    if (getComputedStyle(document.body).backgroundColor === before) wrong.push("no other theme");
    document.getElementById("theme").click();
    for (const canvas of document.querySelectorAll("canvas")) {
      canvas.focus();
      const words = canvas.parentElement.querySelector(".says"), first = words.textContent;
      for (const key of ["+", "+", "ArrowLeft", "ArrowRight", "-", "ArrowUp", "ArrowUp", "0"]) canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      if (words.textContent === first) canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
      if (words.textContent === first) wrong.push("the timeline does not step");
      for (const button of canvas.parentElement.querySelectorAll("button")) button.click();
      const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      if (!pixels.some((byte) => byte > 0)) wrong.push("an empty timeline");
      went.push("timeline");
    }
    for (const button of document.querySelectorAll(".repro button")) { button.click(); went.push("repro"); }
    document.body.dataset.went = went.join(" ") + " end";
    document.body.dataset.wrong = wrong.join("; ");
  }, 400);
}, 100));
</script>"##;

fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let on_path = ["chromium", "chromium-browser", "google-chrome"].map(PathBuf::from);
    let runs = |path: &PathBuf| {
        let version =
            Command::new(path).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    };
    let found = named.into_iter().chain(on_path).find(runs);
    if found.is_none() {
        println!("skipped: no Chromium");
    }
    found
}

/// Opens a page: what is in it in the end, and what the console said.
fn browse(chromium: &Path, page: &Path, more: &[&str]) -> (String, String) {
    let data = Folder::new();
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--hide-scrollbars", "--virtual-time-budget=20000"])
        .arg(format!("--user-data-dir={}", data.path("profile").display()))
        .args(more)
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let console: Vec<_> =
        text(&output.stderr).lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    (text(&output.stdout), console.join("\n"))
}

/// Clicks through a page, and takes its picture in light and dark, wide and narrow.
fn click_through(chromium: &Path, page: &Path, name: &str) -> String {
    let text = std::fs::read_to_string(page).unwrap();
    let beside = page.with_file_name("clicked.html");
    std::fs::write(&beside, text.replacen("</head>", &format!("{CLICKS}</head>"), 1)).unwrap();
    let (dom, console) = browse(chromium, &beside, &["--dump-dom", "--window-size=1280,900"]);
    assert_eq!(console, "", "{name}: the console is silent");
    let said = |what: &str| {
        let from = dom
            .split_once(&format!("data-{what}=\""))
            .unwrap_or_else(|| panic!("{name}: no {what}:\n{dom}"))
            .1;
        from.split_once('"').unwrap().0.to_owned()
    };
    assert_eq!(said("wrong"), "", "{name}");
    let went = said("went");
    assert!(went.ends_with("end"), "{name}: {went}");
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&kept).unwrap();
    for (kind, size, theme) in
        [("light", "1280,2400", ""), ("dark", "1280,2400", "dark"), ("narrow", "800,2400", "")]
    {
        if !theme.is_empty() {
            std::fs::write(&beside, text.replacen("<html ", &format!("<html data-theme=\"{theme}\" "), 1))
                .unwrap();
        }
        let from = if theme.is_empty() { page } else { &beside };
        let picture = kept.join(format!("{name}-{kind}.png"));
        let _ = std::fs::remove_file(&picture);
        browse(
            chromium,
            from,
            &[&format!("--screenshot={}", picture.display()), &format!("--window-size={size}")],
        );
        assert!(picture.metadata().is_ok_and(|file| file.len() > 10_000), "{}", picture.display());
    }
    went
}

fn reported(folder: &Folder, recordings: &[PathBuf], more: &[&str]) -> PathBuf {
    for kind in ["go", "negative"] {
        std::fs::create_dir_all(folder.path("traces/corpus").join(kind)).unwrap();
    }
    for path in recordings {
        std::fs::copy(path, folder.path("traces/corpus/go").join(path.file_name().unwrap())).unwrap();
    }
    let ran = command()
        .args([&["run", "--only", "go", "--report", "out"], more].concat())
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    assert!(matches!(ran.status.code(), Some(0 | 1)), "{ran:?}");
    folder.path("out/index.html")
}

#[test]
fn a_report_that_conforms_can_be_clicked_through() {
    let Some(chromium) = chromium() else { return };
    let folder = Folder::new();
    let page = reported(&folder, &[small()], &[]);
    let went = click_through(&chromium, &page, "conforms");
    assert!(went.contains("filter") && !went.contains("timeline"), "{went}");
}

#[test]
fn a_report_with_findings_can_be_clicked_through() {
    let Some(chromium) = chromium() else { return };
    let folder = Folder::new();
    let broken = recordings("negative", "neg-00-drop_ready-a.jsonl.gz");
    let more = recordings("negative", "neg-06-waiting_on_queue-a.jsonl.gz");
    let page = reported(&folder, &[broken, more, vec![small()]].concat(), &[]);
    let went = click_through(&chromium, &page, "findings");
    assert_eq!((went.matches("timeline").count(), went.matches("repro").count()), (2, 2), "{went}");
}

#[test]
fn a_report_with_speed_and_earlier_nights_can_be_clicked_through() {
    let Some(chromium) = chromium() else { return };
    let folder = Folder::new();
    reported(&folder, &[small()], &[]);
    std::fs::rename(folder.path("out/report.json"), folder.file("nights/1.json", "")).unwrap();
    let round = r#"{"round":1,"peer":"sigurg","status":"ok","figures":{"ns_per_op":120500}}"#;
    let rounds = format!("{round},{}", round.replace("sigurg", "go").replace("120500", "90000"));
    let unit = format!(
        r#"{{"about":"B2","graded":{{"pass":1}},"why":"","took_ms":1,"figures":{{}},"shown":{{}},"rounds":[{rounds}]}}"#
    );
    let layer = format!(
        r#"{{"about":"speed","skipped":null,"planned":1,"left":{{}},"took_ms":1,"units":{{"B2/p1/k2":{unit}}},"coverage":{{}},"histograms":{{}},"curve":[],"findings":{{}}}}"#
    );
    let run = format!(
        r#"{{"campaign":"bench","shard":{{"index":1,"total":1}},"seed":0,"budget_ms":null,"began_ms":1790000000000,"took_ms":1,"ended":"done","place":{{}},"not_asked":[],"layers":{{"bench":{layer}}}}}"#
    );
    folder.file("bench.json", format!(r#"{{"schema":1,"runs":{{"bench-1":{run}}}}}"#));
    let page = reported(&folder, &[small()], &["--bench", "bench.json", "--history", "nights"]);
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.contains("×0.75") && text.contains("Over 2 reports"), "{text}");
    click_through(&chromium, &page, "speed");
}

#[test]
fn the_timeline_of_a_trace_can_be_clicked_through() {
    let Some(chromium) = chromium() else { return };
    let folder = Folder::new();
    let page = folder.path("trace.html");
    let shown = common::run(["show", common::arg(&small()), "--html", common::arg(&page)]);
    assert_eq!(shown.status, Some(0), "{shown:?}");
    assert!(click_through(&chromium, &page, "trace").contains("timeline"));
}
