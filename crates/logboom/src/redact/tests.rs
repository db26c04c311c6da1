use super::*;

fn with(patterns: &[&str]) -> Redaction {
    let patterns: Vec<_> = patterns.iter().map(|name| PatternSpec::Named(name)).collect();
    Redaction::new(&RedactionOptions { patterns: &patterns, ..Default::default() }).unwrap()
}

fn shown(redaction: &Redaction, text: &str) -> String {
    let clean = redaction.text(text.as_bytes()).unwrap_or_else(|| text.into());
    String::from_utf8(clean).unwrap()
}

#[test]
fn names_are_secret_by_their_last_words() {
    let standard = Redaction::default();
    for name in [
        "password",
        "PASSWORD",
        "user.password",
        "db-passwd",
        "accessToken",
        "access_token",
        "X-Api-Key",
        "HTTP_COOKIE",
        "Set-Cookie",
        "Authorization",
        "password2",
        "password_confirmation",
        "dbpassword",
        "client secret",
        "AWS_SECRET_ACCESS_KEY",
        "sessionid",
        "password_hash",
    ] {
        assert!(standard.is_secret(name), "{name}");
    }
    for name in [
        "",
        "user",
        "tokens",
        "max_tokens",
        "token_count",
        "passwords_checked",
        "author",
        "keyboard",
        "key",
        "cookie_count",
        "compass",
        "1",
        "tokenizer",
        "secretary",
        "пароль",
    ] {
        assert!(!standard.is_secret(name), "{name}");
    }
    assert!(!Redaction::off().is_secret("password"));
    let options = RedactionOptions {
        keys: &["taxId", "IBAN"],
        exceptions: &["page-token"],
        ..Default::default()
    };
    let own = Redaction::new(&options).unwrap();
    assert!(own.is_secret("customer.tax_id") && own.is_secret("iban") && own.is_secret("token"));
    assert!(!own.is_secret("pageToken") && !own.is_standard() && standard.is_standard());
}

#[test]
fn a_verdict_is_kept_and_stays_right() {
    let (standard, mut verdicts) = (Redaction::default(), Verdicts::default());
    let long = "x".repeat(100) + "_token";
    for _ in 0..3 {
        for n in 0..500 {
            assert!(!verdicts.is_secret(&standard, &format!("field{n}")));
            assert!(verdicts.is_secret(&standard, &format!("f{n}_token")));
        }
        assert!(verdicts.is_secret(&standard, &long));
    }
    assert!(!verdicts.is_secret(&Redaction::off(), "token"));
}

#[test]
fn each_pattern_finds_its_own_and_leaves_the_rest() {
    let cases = [
        (
            "bearer",
            "Authorization: Bearer abc123DEF.x-y, next",
            "Authorization: Bearer [redacted], next",
        ),
        ("bearer", "basic dXNlcjpwYXNz", "basic [redacted]"),
        ("bearer", "basic authentication, bearer tokens, the Basic Understanding", ""),
        (
            "url_password",
            "at postgres://ann:s3cr@t@db:5432/x?y=a@b",
            "at postgres://ann:[redacted]@db:5432/x?y=a@b",
        ),
        ("url_password", "redis://:pw@host", "redis://:[redacted]@host"),
        ("url_password", "http://host:80/path?mail=a@b ann@x", ""),
        ("jwt", "t=eyJhbGciOi.eyJzdWIiOi.sig-_1 x", "t=[redacted] x"),
        ("cloud_key", "key AKIAIOSFODNN7EXAMPLE.", "key [redacted]."),
        (
            "card",
            "paid by 4111 1111 1111 1111, 4111-1111-1111-1112",
            "paid by [redacted], 4111-1111-1111-1112",
        ),
        (
            "card",
            "378282246310005 at 1700000000123456789 x4111111111111111",
            "[redacted] at 1700000000123456789 x4111111111111111",
        ),
        (
            "private_key",
            "a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b",
            "a [redacted] b",
        ),
        ("private_key", "a -----BEGIN PRIVATE KEY-----\\nMII", "a [redacted]"),
        ("email", "to ann.b+c@mail.example.org!", "to [redacted]!"),
        (
            "pairs",
            "login(user='ann', password='it''s', n=1)",
            "login(user='ann', password='[redacted]''s', n=1)",
        ),
        (
            "pairs",
            "GET /?token=abc&x=1 api_key = k; pwd: p",
            "GET /?token=[redacted]&x=1 api_key = [redacted]; pwd: [redacted]",
        ),
        ("pairs", r#"{"password": "a\"b", "n": 1}"#, r#"{"password": "[redacted]", "n": 1}"#),
        ("pairs", r#"\"token\": \"a b\", x"#, r#"\"token\": \"[redacted]\", x"#),
        (
            "pairs",
            "[(b'cookie', b'a=b; c=d'), (b'x', b'y')]",
            "[(b'cookie', b'[redacted]'), (b'x', b'y')]",
        ),
        ("pairs", "Cookie: a=b; c=d\nHost: x", "Cookie: [redacted]\nHost: x"),
        ("pairs", "authorization: Digest abc x", "authorization: [redacted] x"),
        ("pairs", "password=None, token: null, secret='', a=b, token=[redacted]", ""),
        ("pairs", "password=\u{fc}\u{20ac} ok", "password=[redacted] ok"),
    ];
    for (pattern, text, expected) in cases {
        let expected = if expected.is_empty() { text } else { expected };
        assert_eq!(shown(&with(&[pattern]), text), expected, "{pattern}");
    }
    assert_eq!(
        shown(&with(&["pairs", "bearer"]), "authorization=Bearer abc123def"),
        "authorization=[redacted]"
    );
}

#[test]
fn json_stays_json_and_is_looked_into_at_any_depth() {
    let all = with(&["jwt", "pairs", "url_password"]);
    let mut verdicts = Verdicts::default();
    let mut clean =
        |text: &str| all.json(text, &mut verdicts).map(|clean| String::from_utf8(clean).unwrap());
    assert_eq!(
        clean(r#"{"a":[{"Password":"x"},{"api-key":{"id":[1,"}"]}}],"token":12,"n":1}"#).unwrap(),
        r#"{"a":[{"Password":"[redacted]"},{"api-key":"[redacted]"}],"token":"[redacted]","n":1}"#
    );
    assert_eq!(clean(r#"{"token":null,"secret":true,"cookie":"","n":[]}"#), None);
    assert_eq!(
        clean(r#"{"m":"\"token\"=\u0061bc\n\u00fc\ud83d\ude00 redis://u:p@h"}"#).unwrap(),
        "{\"m\":\"\\\"token\\\"=[redacted]\\n\u{fc}\u{1f600} redis://u:[redacted]@h\"}"
    );
    assert_eq!(clean(r#"{"token": "unclosed"#).unwrap(), r#"{"token": "[redacted]""#);
    let line = "{\"password\":\"x\"}\n";
    assert_eq!(
        all.line(line.as_bytes(), &mut Verdicts::default()).unwrap(),
        b"{\"password\":\"[redacted]\"}\n"
    );
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let refused = |options: &RedactionOptions<'_>| Redaction::new(options).unwrap_err().to_string();
    let patterns = [PatternSpec::Named("cards")];
    assert_eq!(
        refused(&RedactionOptions { patterns: &patterns, ..Default::default() }),
        "invalid `patterns`: got \"cards\", expected one of bearer, url_password, pairs, jwt, cloud_key, card, \
         private_key, email, or a regular expression"
    );
    for source in ["(", "a*", r"(?:(?:\w{100}){100}){100}", "(?-u:\\xff)"] {
        let patterns = [PatternSpec::Regex(source)];
        let text = refused(&RedactionOptions { patterns: &patterns, ..Default::default() });
        assert!(text.starts_with("invalid `patterns`: got ") && !text.contains('\n'), "{text}");
    }
    assert!(refused(&RedactionOptions { keys: &["--"], ..Default::default() }).contains("`keys`"));
    let replacement = Some("a\"b");
    assert!(
        refused(&RedactionOptions { replacement, ..Default::default() }).contains("`replacement`")
    );
}

#[test]
fn a_pattern_of_the_users_replaces_its_group() {
    let patterns = [PatternSpec::Regex(r"order ([A-Z]{2}\d+)"), PatternSpec::Regex("\u{fc}ber")];
    let options =
        RedactionOptions { patterns: &patterns, replacement: Some("***"), ..Default::default() };
    let own = Redaction::new(&options).unwrap();
    assert_eq!(shown(&own, "order AB12 \u{fc}ber all"), "order *** *** all");
    assert_eq!(own.text(b"\xff order AB12 \xfe").unwrap(), b"\xff order *** \xfe");
}

static ALL: std::sync::LazyLock<Redaction> = std::sync::LazyLock::new(|| with(&PATTERNS));

proptest::proptest! {
    #[test]
    fn nothing_panics_and_lines_stay_lines(text in "[a-z:=,\"'\\\\ {}@/.\u{fc}0-9-]{0,80}", secret in "[A-Za-z0-9]{8,20}") {
        let all = &*ALL;
        let mut verdicts = Verdicts::default();
        let _ = all.text(text.as_bytes());
        let _ = all.line(text.as_bytes(), &mut verdicts);
        let line = format!("{text} password={secret} end");
        let clean = shown(all, &line);
        proptest::prop_assert!(!clean.contains(&secret) || text.contains(&secret), "{clean}");
    }
}
