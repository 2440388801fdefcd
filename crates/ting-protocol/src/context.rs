//! The texts of `payload.input.context`.

use serde_json::Value;

/// Messages of one role that count; of more, the newest do.
pub const MAX_CONTEXT_MESSAGES: usize = 5;
/// Characters of a message that count, from its beginning.
pub const MAX_CONTEXT_CHARS: usize = 400;

/// The texts of a context's messages, oldest first: of each role (`user` with contents of type `input_text`, `assistant`
/// with `text`) the newest [`MAX_CONTEXT_MESSAGES`], cut after [`MAX_CONTEXT_CHARS`] characters.
///
/// What is no such message is passed over, as unknown fields are: a context only helps, and should not fail a task.
/// The contents of one message count as one text.
pub fn context_texts(messages: &[Value]) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut taken = [0; ROLES.len()];
    for message in messages.iter().rev() {
        let role = ROLES.iter().position(|(role, _)| message["role"] == *role);
        let Some(role) = role.filter(|role| taken[*role] < MAX_CONTEXT_MESSAGES) else {
            continue;
        };
        let text = match &message["content"] {
            Value::String(text) => text.clone(),
            Value::Array(contents) => contents
                .iter()
                .filter(|content| content["type"] == ROLES[role].1)
                .filter_map(|content| content["text"].as_str())
                .collect::<Vec<_>>()
                .join("\n"),
            _ => continue,
        };
        let text: String = text.chars().take(MAX_CONTEXT_CHARS).collect();
        if !text.trim().is_empty() {
            taken[role] += 1;
            texts.push(text);
        }
    }
    texts.reverse();
    texts
}

/// A role, and the type of its contents.
const ROLES: [(&str, &str); 2] = [("user", "input_text"), ("assistant", "text")];

#[cfg(test)]
mod tests {
    use super::{MAX_CONTEXT_CHARS, context_texts};
    use serde_json::{Value, json};

    fn message(role: &str, kind: &str, text: &str) -> Value {
        json!({"role": role, "content": [{"type": kind, "text": text}]})
    }

    #[test]
    fn the_newest_messages_of_each_role_are_taken() {
        let user = |text: &str| message("user", "input_text", text);
        let assistant = |text: &str| message("assistant", "text", text);
        let long = "字".repeat(MAX_CONTEXT_CHARS + 1);
        let cut = "字".repeat(MAX_CONTEXT_CHARS);
        let six: Vec<Value> = ["1", "2", "3", "4", "5", "6"].map(user).to_vec();
        let mut both = six.clone();
        both.insert(0, assistant("a"));
        let several = json!({"role": "user", "content": [
            {"type": "input_text", "text": "a"}, {"type": "input_audio", "text": "b"}, {"type": "input_text", "text": "c"}]});
        let cases: Vec<(&str, Vec<Value>, Vec<&str>)> = vec![
            ("none", vec![], vec![]),
            ("one", vec![user("a")], vec!["a"]),
            (
                "both roles",
                vec![user("a"), assistant("b")],
                vec!["a", "b"],
            ),
            ("the newest five", six, vec!["2", "3", "4", "5", "6"]),
            ("five of each", both, vec!["a", "2", "3", "4", "5", "6"]),
            ("cut at the end", vec![user(&long)], vec![&cut]),
            (
                "empty texts do not count",
                vec![user("a"), user(" "), user("")],
                vec!["a"],
            ),
            (
                "the type of the other role",
                vec![message("user", "text", "a")],
                vec![],
            ),
            (
                "an unknown role",
                vec![message("system", "text", "a")],
                vec![],
            ),
            ("several contents", vec![several], vec!["a\nc"]),
            (
                "a plain string",
                vec![json!({"role": "user", "content": "a"})],
                vec!["a"],
            ),
            (
                "no message",
                vec![json!("a"), json!(null), json!([]), json!({"role": 1})],
                vec![],
            ),
            (
                "a text that is none",
                vec![json!({"role": "user", "content": [{"type": "input_text", "text": 1}]})],
                vec![],
            ),
        ];
        let mut failed = Vec::new();
        for (name, messages, want) in cases {
            let got = context_texts(&messages);
            if got != want {
                failed.push(format!("{name}: got {got:?}, want {want:?}"));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}
