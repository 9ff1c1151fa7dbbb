use super::*;

fn listener(selector: &str, text: bool) -> Listener {
    Listener {
        selector: Some(selector.parse().expect("a selector")),
        element: Some(0),
        comments: None,
        text: text.then_some(1),
        doctype: None,
        end: None,
    }
}

fn rewriter(shared: &Rc<Rewriters>, listeners: Vec<Listener>) -> Result<Rewriter, RewriteError> {
    Rewriter::new(shared.clone(), listeners, AsciiCompatibleEncoding::utf_8())
}

fn text(reply: Reply) -> String {
    match reply {
        Reply::Text(Some(text)) => text,
        _ => panic!("no text"),
    }
}

const ELEMENT: Step = Step::Handler {
    kind: Kind::Element,
    number: 0,
};

#[test]
fn the_parser_waits_at_each_token_and_goes_on() {
    let shared = Rc::default();
    let mut rewriter = rewriter(&shared, vec![listener("p", false)]).expect("a rewriter");
    assert_eq!(rewriter.write(b"a<p>b<p>c").expect("a step"), ELEMENT);
    let name = rewriter
        .token(TokenOp::Text(Field::TagName))
        .expect("a reply");
    assert_eq!(text(name), "p");
    let edit = Edit::SetAttribute("x".into(), "1".into());
    rewriter.token(TokenOp::Edit(edit)).expect("a reply");
    // What lies before the token may go out while its handler takes its time.
    assert_eq!(rewriter.take_output(), b"a");
    assert_eq!(rewriter.go_on().expect("a step"), ELEMENT);
    assert_eq!(rewriter.go_on().expect("a step"), Step::Input);
    assert_eq!(rewriter.end().expect("a step"), Step::Done);
    assert_eq!(rewriter.take_output(), b"<p x=\"1\">b<p>c");
}

#[test]
fn streams_are_asked_for_where_they_go() {
    let shared = Rc::default();
    let mut rewriter = rewriter(&shared, vec![listener("p", false)]).expect("a rewriter");
    rewriter.write(b"<p>a</p>").expect("a step");
    let edit = Edit::InsertStream(Place::Append, 7, ContentType::Text);
    rewriter.token(TokenOp::Edit(edit)).expect("a reply");
    assert_eq!(rewriter.go_on().expect("a step"), Step::Stream(7));
    assert_eq!(rewriter.chunk(b"<\xe2").expect("a step"), Step::Stream(7));
    assert_eq!(
        rewriter.chunk(b"\x82\xac").expect("a step"),
        Step::Stream(7)
    );
    assert_eq!(rewriter.go_on().expect("a step"), Step::Input);
    assert_eq!(rewriter.end().expect("a step"), Step::Done);
    assert_eq!(rewriter.take_output(), "<p>a&lt;\u{20ac}</p>".as_bytes());
}

#[test]
fn what_is_asked_out_of_turn_is_refused() {
    let shared = Rc::default();
    let mut rewriter = rewriter(&shared, vec![listener("p", false)]).expect("a rewriter");
    assert!(rewriter.token(TokenOp::Attributes).is_err());
    assert!(rewriter.chunk(b"x").is_err());
    rewriter.write(b"<p>").expect("a step");
    assert!(rewriter.write(b"<p>").is_err());
    assert!(rewriter.end().is_err());
    assert!(rewriter.chunk(b"x").is_err());
    assert!(matches!(
        rewriter.token(TokenOp::Text(Field::SystemId)),
        Ok(Reply::Refused(_))
    ));
    assert_eq!(rewriter.go_on().expect("a step"), Step::Input);
    assert_eq!(rewriter.end().expect("a step"), Step::Done);
    assert!(rewriter.end().is_err());
}

#[test]
fn dropping_it_anywhere_frees_what_it_had() {
    let shared: Rc<Rewriters> = Rc::default();
    for steps in 0..4 {
        let mut rewriter = rewriter(&shared, vec![listener("p", true)]).expect("a rewriter");
        if steps > 0 {
            rewriter.write(b"<p>a</p><p>b").expect("a step");
            let edit = Edit::Insert(Place::Append, "x".repeat(1_000), ContentType::Text);
            rewriter.token(TokenOp::Edit(edit)).expect("a reply");
            assert_eq!(shared.held.get(), 1_000);
        }
        for _ in 1..steps {
            rewriter.go_on().expect("a step");
        }
        drop(rewriter);
        assert_eq!((shared.open.get(), shared.held.get()), (0, 0));
    }
}

#[test]
fn an_isolate_has_so_many_open_and_holds_so_much() {
    let shared: Rc<Rewriters> = Rc::default();
    let mut open = Vec::new();
    for _ in 0..MOST {
        let mut rewriter = rewriter(&shared, vec![listener("p", false)]).expect("a rewriter");
        rewriter.write(b"<p>").expect("a step");
        open.push(rewriter);
    }
    assert!(rewriter(&shared, Vec::new()).is_err());
    let edit = |bytes| {
        let text = "x".repeat(bytes);
        TokenOp::Edit(Edit::Insert(Place::Append, text, ContentType::Text))
    };
    assert!(open[0].token(edit(HELD / 2)).is_ok());
    assert!(open[1].token(edit(HELD / 2)).is_ok());
    assert!(open[2].token(edit(1)).is_err());
    open.truncate(1);
    assert!(open[0].token(edit(HELD / 2)).is_ok());
}

#[test]
fn tokens_past_the_memory_limit_end_it() {
    let shared = Rc::default();
    let mut rewriter = rewriter(&shared, vec![listener("p", false)]).expect("a rewriter");
    rewriter.write(b"<p a=\"").expect("a step");
    let chunk = vec![b'x'; 64 << 10];
    let error = (0..MEMORY / chunk.len() + 1)
        .find_map(|_| rewriter.write(&chunk).err())
        .expect("an error");
    assert_eq!(error.to_string(), "The memory limit has been exceeded.");
    assert!(rewriter.end().is_err());
}

fn feed(rewriter: &mut Rewriter, html: &str) {
    let mut step = rewriter.write(html.as_bytes()).expect("a step");
    while step != Step::Input {
        step = rewriter.go_on().expect("a step");
    }
}

#[test]
fn deep_documents_need_no_deep_stack() {
    let shared = Rc::default();
    let listeners = vec![listener("div > div", true), listener("div div div", false)];
    let mut rewriter = rewriter(&shared, listeners).expect("a rewriter");
    for _ in 0..50 {
        feed(&mut rewriter, &"<div>a".repeat(100));
    }
}

#[test]
fn the_longest_chain_of_selectors_is_compiled_on_the_fibers_stack() {
    let shared = Rc::default();
    let longest = format!("{}div", "div ".repeat(256));
    let mut listeners = vec![listener("div", true)];
    listeners[0].selector = Some(selector::parse(&longest).expect("a selector"));
    let mut rewriter = rewriter(&shared, listeners).expect("a rewriter");
    feed(&mut rewriter, &"<div>a".repeat(300));
    feed(&mut rewriter, &"</div>".repeat(300));
}
