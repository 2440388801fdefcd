//! API keys.

/// Whether `authorization`, the value of the header, holds one of `keys`. Without keys everyone is let in.
///
/// Clients send `Bearer KEY`, `bearer KEY`, and the key alone.
pub(crate) fn is_allowed(keys: &[String], authorization: Option<&[u8]>) -> bool {
    if keys.is_empty() {
        return true;
    }
    let Some(value) = authorization else {
        return false;
    };
    let value = value.trim_ascii();
    let given = match value.split_at_checked(7) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case(b"bearer ") => key.trim_ascii(),
        _ => value,
    };
    // Every key is compared, so that the time does not tell which one is close.
    keys.iter()
        .fold(false, |found, key| found | same(key.as_bytes(), given))
}

/// Compares in a time that depends on the lengths only.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (x, y)| differs | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn keys_are_found_in_every_form_clients_send() {
        struct Case {
            keys: &'static [&'static str],
            header: Option<&'static str>,
            want: bool,
        }
        let case = |keys, header, want| Case { keys, header, want };
        let cases = [
            case(&[], None, true),
            case(&[], Some("Bearer anything"), true),
            case(&["sk-1"], Some("Bearer sk-1"), true),
            case(&["sk-1"], Some("bearer sk-1"), true),
            case(&["sk-1"], Some("BEARER  sk-1 "), true),
            case(&["sk-1"], Some("sk-1"), true),
            case(&["sk-1", "sk-2"], Some("Bearer sk-2"), true),
            case(&["sk-1"], None, false),
            case(&["sk-1"], Some(""), false),
            case(&["sk-1"], Some("Bearer "), false),
            case(&["sk-1"], Some("Bearer sk-12"), false),
            case(&["sk-1"], Some("Bearer SK-1"), false),
            case(&["sk-1"], Some("Basic sk-1"), false),
        ];
        let mut failures = Vec::new();
        for case in cases {
            let keys: Vec<String> = case.keys.iter().map(|&key| key.to_owned()).collect();
            if is_allowed(&keys, case.header.map(str::as_bytes)) != case.want {
                failures.push(format!(
                    "{:?} {:?}, want {}",
                    case.keys, case.header, case.want
                ));
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}
