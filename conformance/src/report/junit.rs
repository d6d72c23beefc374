//! The report as JUnit XML: a suite for each layer, a test case for each unit.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::data::{Grade, Unit};
use super::view::View;

/// The whole document.
///
/// # Errors
/// What the writer says.
pub fn xml(view: &View) -> Result<String, quick_junit::SerializeError> {
    let mut junit = Junit::new("conformance");
    junit.set_time(Duration::from_millis(view.took_ms));
    for (name, layer) in &view.layers {
        let mut suite = TestSuite::new(format!("conformance.{name}"));
        suite.set_time(Duration::from_millis(layer.took_ms));
        for explored in view.explored.iter().filter(|explored| explored.layer == *name) {
            suite.add_property((&*explored.how, &*explored.bound));
        }
        for (unit, done) in &layer.units {
            suite.add_test_case(case(view, name, unit, done));
        }
        for (unit, reason) in &layer.left {
            suite.add_test_case(skipped(name, unit, reason));
        }
        if let Some(reason) = &layer.skipped {
            suite.add_test_case(skipped(name, "the whole layer", reason));
        }
        junit.add_test_suite(suite);
    }
    for absent in &view.absent {
        let mut suite = TestSuite::new(format!("conformance.{}", absent.layer));
        let reason = format!("not run in this report: {} ({})", absent.what, absent.how);
        suite.add_test_case(skipped(&absent.layer, "the whole layer", &reason));
        junit.add_test_suite(suite);
    }
    junit.to_string()
}

fn case(view: &View, layer: &str, name: &str, unit: &Unit) -> TestCase {
    let kind = match unit.grade() {
        Grade::Fail => Some(NonSuccessKind::Failure),
        Grade::Error => Some(NonSuccessKind::Error),
        Grade::Pass | Grade::Interesting | Grade::Skipped => None,
    };
    let status = match kind {
        None => TestCaseStatus::success(),
        Some(kind) => {
            let mut status = TestCaseStatus::non_success(kind);
            let mut text = String::new();
            for (signature, failure) in
                view.findings.iter().filter(|(name, _)| unit.found.contains_key(*name))
            {
                let finding = &failure.finding;
                text += &format!("{}\n{signature}\n\n{}\n\n", finding.repro, finding.story);
                for differs in finding.differences() {
                    text += &format!("{differs}\n");
                }
                if let Some(original) = &finding.original {
                    text += &format!("as it was found ({}): {}\n", original.smaller(), original.repro);
                }
                status.set_type(&finding.rule);
            }
            status.set_message(&unit.why).set_description(text);
            status
        }
    };
    let mut case = TestCase::new(name, status);
    case.set_classname(format!("conformance.{layer}")).set_time(Duration::from_millis(unit.took_ms));
    if unit.grade() == Grade::Interesting {
        case.set_system_out(&unit.why);
    }
    case
}

fn skipped(layer: &str, name: &str, reason: &str) -> TestCase {
    let mut status = TestCaseStatus::skipped();
    status.set_message(reason);
    let mut case = TestCase::new(name, status);
    case.set_classname(format!("conformance.{layer}"));
    case
}
