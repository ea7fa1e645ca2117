//! Every shape that is taken, every problem that is named.

use rstest::rstest;

use super::*;

fn id() -> CorrelationId {
    CorrelationId::try_from("test".to_owned()).unwrap()
}

fn one(body: &str) -> StashEvent {
    match parse(body.as_bytes(), &id()) {
        Ok(Events::One(event)) => event,
        other => panic!("{other:?}"),
    }
}

fn problems(body: &str) -> Vec<(String, String)> {
    match parse(body.as_bytes(), &id()) {
        Err(Refusal::Invalid(problems)) => problems.into_iter().map(|p| (p.field, p.problem)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_thin_form_and_the_hooks_own_form_say_the_same() {
    let thin =
        one(r#"{"type":"Scene.Update.Post","id":45,"input_fields":["title"],"more":{"is":["skipped"]}}"#);
    let raw = r#"{"server_connection":{"Scheme":"http"},"args":{"hookContext":
        {"id":45,"type":"Scene.Update.Post","input":{"cover_image":"data:…"},"inputFields":["title"]},"url":"x"}}"#;
    assert_eq!(one(raw), thin);
    assert_eq!((thin.kind.to_string().as_str(), thin.id.get()), ("Scene.Update.Post", 45));
}

#[test]
fn an_array_is_taken_whole_or_not_at_all_and_each_problem_has_its_place() {
    let two = r#"[{"type":"Scene.Update.Post","id":1},{"type":"Tag.Update.Post","id":2}]"#;
    assert!(matches!(parse(two.as_bytes(), &id()), Ok(Events::Many(events)) if events.len() == 2));
    let bad = r#" [{"type":"Scene.Update.Post","id":1},{"type":"Nope","id":-2}]"#;
    let fields: Vec<_> = problems(bad).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["[1].id", "[1].type"]);
    assert_eq!(problems("[]")[0].0, "body");
}

#[test]
fn a_thousand_events_are_taken_at_once_and_more_are_counted_and_refused() {
    let array = |count| format!("[{}]", vec![r#"{"type":"Scene.Update.Post","id":1}"#; count].join(","));
    let taken = parse(array(MOST_EVENTS).as_bytes(), &id());
    assert!(matches!(taken, Ok(Events::Many(events)) if events.len() == MOST_EVENTS));
    assert!(problems(&array(MOST_EVENTS + 1))[0].1.starts_with("holds 1001 events"));
    let empty = format!("[{}{{}}]", "{},".repeat(299_999));
    assert!(problems(&empty)[0].1.starts_with("holds 300000 events"));
}

#[rstest]
#[case::no_type(r#"{"id":1}"#, "type", "Scene.Update.Post")]
#[case::type_number(r#"{"type":5,"id":1}"#, "type", "5")]
#[case::type_unknown(r#"{"type":"Scene.Paint.Post","id":1}"#, "type", "Scene.Paint.Post")]
#[case::no_id(r#"{"type":"Scene.Update.Post"}"#, "id", "from 1 up")]
#[case::id_zero(r#"{"type":"Scene.Update.Post","id":0}"#, "id", "0")]
#[case::id_fraction(r#"{"type":"Scene.Update.Post","id":1.5}"#, "id", "1.5")]
#[case::id_huge(r#"{"type":"Scene.Update.Post","id":99999999999999999999}"#, "id", "from 1 up")]
#[case::id_text(r#"{"type":"Scene.Update.Post","id":"45"}"#, "id", "45")]
#[case::fields(r#"{"type":"Scene.Update.Post","id":1,"input_fields":"title"}"#, "input_fields", "list")]
#[case::path(r#"{"type":"Scene.Destroy.Post","id":1,"path":7}"#, "path", "text")]
#[case::oshash(r#"{"type":"Scene.Destroy.Post","id":1,"oshash":{}}"#, "oshash", "text")]
#[case::source(r#"{"type":"Tag.Merge.Post","id":1,"source":["a"]}"#, "source", "ids")]
#[case::destination(r#"{"type":"Tag.Merge.Post","id":1,"destination":[]}"#, "destination", "id")]
#[case::no_context(r#"{"args":{}}"#, "args.hookContext", "missing")]
#[case::raw(r#"{"args":{"hookContext":{"type":"Scene.Update.Post"}}}"#, "args.hookContext.id", "from 1 up")]
#[case::not_an_object("42", "body", "event")]
fn a_bad_field_is_named_with_what_would_be_right(
    #[case] body: &str,
    #[case] field: &str,
    #[case] says: &str,
) {
    let problems = problems(body);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].0, field);
    assert!(problems[0].1.contains(says), "{problems:?}");
}

#[rstest]
#[case("")]
#[case("{")]
#[case("{\"type\":")]
#[case("<html>")]
fn what_is_not_json_is_told_apart(#[case] body: &str) {
    assert!(matches!(parse(body.as_bytes(), &id()), Err(Refusal::NotJson(_))));
}
