//! The YAML tree with lines, and a reader that collects problems instead of stopping at the first.

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

use super::Problem;

/// A value of the file.
pub struct Node {
    /// Line of the value, from 1.
    pub line: usize,
    /// The value.
    pub value: Value,
}

/// What a value is.
pub enum Value {
    /// Nothing was written.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys in the order of the file, each with its line.
    Map(Vec<(String, usize, Node)>),
    /// A float, a tag, an alias: nothing here takes one.
    Odd,
}

/// Parses one document; `None` when the file is empty or when it is no YAML, which is a problem.
pub fn parse(file: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    match MarkedYaml::load_from_str(text) {
        Ok(documents) if documents.len() > 1 => {
            let line = documents.get(1).map(|d| d.span.start.line());
            problems.push(problem(
                file,
                line,
                "",
                "a second document begins here; one is expected".to_owned(),
            ));
            None
        }
        Ok(documents) => documents.first().map(node),
        Err(error) => {
            let line = Some(error.marker().line());
            problems.push(problem(
                file,
                line,
                "",
                format!("is not YAML: {}", error.info()),
            ));
            None
        }
    }
}

fn problem(file: &str, line: Option<usize>, path: &str, message: String) -> Problem {
    Problem {
        file: file.to_owned(),
        line,
        path: path.to_owned(),
        message,
    }
}

fn node(yaml: &MarkedYaml<'_>) -> Node {
    let value = match &yaml.data {
        YamlData::Value(Scalar::Null) => Value::Null,
        YamlData::Value(Scalar::Boolean(yes)) => Value::Bool(*yes),
        YamlData::Value(Scalar::Integer(number)) => Value::Int(*number),
        YamlData::Value(Scalar::String(text)) => Value::Text(text.clone().into_owned()),
        YamlData::Sequence(items) => Value::List(items.iter().map(node).collect()),
        YamlData::Mapping(entries) => Value::Map(
            entries
                .iter()
                .map(|(k, v)| (key(k), k.span.start.line(), node(v)))
                .collect(),
        ),
        _ => Value::Odd,
    };
    Node {
        line: yaml.span.start.line(),
        value,
    }
}

fn key(yaml: &MarkedYaml<'_>) -> String {
    match node(yaml).value {
        Value::Text(text) => text,
        Value::Int(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        _ => "?".to_owned(),
    }
}

/// Collects problems while values are read.
pub struct Reader<'a> {
    /// Name of the file in messages.
    pub file: &'a str,
    /// What was found so far.
    pub problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    /// Notes a problem at a line of the file.
    pub fn note(&mut self, line: usize, path: &str, message: impl Into<String>) {
        self.problems
            .push(problem(self.file, Some(line), path, message.into()));
    }

    /// Notes a problem of an environment variable.
    pub fn note_variable(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(problem(name, None, "", message.into()));
    }

    /// The entries of a section; nothing when it is absent or empty, a problem when it is no mapping.
    pub fn entries<'n>(
        &mut self,
        path: &str,
        node: Option<&'n Node>,
    ) -> &'n [(String, usize, Node)] {
        match node.map(|n| (&n.value, n.line)) {
            None | Some((Value::Null, _)) => &[],
            Some((Value::Map(entries), _)) => entries,
            Some((other, line)) => {
                self.note(
                    line,
                    path,
                    format!("is {}, expected keys and values", other.noun()),
                );
                &[]
            }
        }
    }

    /// The items of a list; one value alone counts as a list of one.
    pub fn items<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        match &node.value {
            Value::Null => &[],
            Value::List(items) => items,
            _ => std::slice::from_ref(node),
        }
    }

    /// Refuses a key that nobody reads, with the nearest one that somebody does.
    pub fn unknown(&mut self, line: usize, path: &str, key: &str, known: &[&str]) {
        let near = nearest(key, known.iter().copied());
        let message = match near {
            Some(name) => format!("unknown key, did you mean `{name}`?"),
            None => format!("unknown key; known here: {}", known.join(", ")),
        };
        self.note(line, path, message);
    }
}

impl Value {
    /// What it is, for messages.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Null => "empty",
            Self::Bool(_) => "true or false",
            Self::Int(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
            Self::Odd => "a value of a kind that is not used here (put it in quotes if it is text)",
        }
    }
}

/// The known name that `word` was probably meant to be.
pub fn nearest<'n>(word: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let word = word.to_ascii_lowercase();
    known
        .map(|name| (strsim::damerau_levenshtein(name, &word), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .map(|(_, name)| name)
}

/// `parent.key`, or `key` at the top.
pub fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() {
        key.to_owned()
    } else {
        format!("{parent}.{key}")
    }
}
