//! Is a GraphQL document valid for this Stash, and which part of a value does it select?

use std::collections::HashMap;

use async_graphql_parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql_parser::{Pos, Positioned, parse_query};
use async_graphql_value::{ConstValue, Value as Argument};
use serde_json::{Map, Value, json};

use super::schema::{self, Minor};

/// How deep fragments may be within fragments. There is a limit because they may contain themselves.
const FRAGMENT_DEPTH: usize = 8;

/// Why a document is refused before anything is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) message: String,
    at: Option<(usize, usize)>,
    code: &'static str,
}

impl Invalid {
    fn at(position: Pos, message: String) -> Self {
        let at = Some((position.line, position.column));
        Self { message, at, code: "GRAPHQL_VALIDATION_FAILED" }
    }

    fn operation(message: &str) -> Self {
        Self { message: message.to_owned(), at: None, code: "GRAPHQL_VALIDATION_FAILED" }
    }

    pub(crate) fn json(&self) -> Value {
        let mut error = json!({ "message": self.message, "extensions": { "code": self.code } });
        if let (Some((line, column)), Some(error)) = (self.at, error.as_object_mut()) {
            error.insert("locations".to_owned(), json!([{ "line": line, "column": column }]));
        }
        error
    }
}

/// One field of the query type, asked for by name, with its arguments as plain values.
pub(crate) struct Root {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) arguments: Map<String, Value>,
    selection: SelectionSet,
}

/// A valid document, ready to be answered.
pub(crate) struct Query {
    pub(crate) roots: Vec<Root>,
    fragments: HashMap<String, SelectionSet>,
}

impl Query {
    /// Reads a document and checks it against the schema of this version.
    pub(crate) fn parse(
        text: &str,
        operation: Option<&str>,
        variables: &Map<String, Value>,
        version: Minor,
    ) -> Result<Self, Invalid> {
        let document = parse_query(text).map_err(|error| {
            let at = error.positions().next().map(|position| (position.line, position.column));
            Invalid { message: error.to_string(), at, code: "GRAPHQL_PARSE_FAILED" }
        })?;
        let definition = chosen(&document, operation)?;
        let of = match definition.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => {
                return Err(Invalid::operation("the simulated Stash has no subscriptions"));
            }
        };
        let variables = with_defaults(definition, variables)?;
        let fragments = document
            .fragments
            .iter()
            .map(|(name, fragment)| (name.to_string(), fragment.node.selection_set.node.clone()))
            .collect();
        let mut query = Self { roots: Vec::new(), fragments };
        let fields = query.fields(&definition.selection_set.node);
        let mut roots = Vec::new();
        for field in fields {
            query.check(field, of, version)?;
            let name = field.node.name.node.to_string();
            let mut arguments = Map::new();
            for (argument, value) in &field.node.arguments {
                if !schema::takes_argument(&name, &argument.node, version) {
                    let message = format!("Unknown argument \"{}\" on field \"{of}.{name}\".", argument.node);
                    return Err(Invalid::at(argument.pos, message));
                }
                arguments.insert(argument.node.to_string(), resolved(value, &variables)?);
            }
            let key = field.node.response_key().node.to_string();
            roots.push(Root { key, name, arguments, selection: field.node.selection_set.node.clone() });
        }
        query.roots = roots;
        Ok(query)
    }

    /// The part of a value that was asked for.
    pub(crate) fn select(&self, root: &Root, value: &Value) -> Value {
        self.selected(&root.selection, value)
    }

    /// Whether one of these fields is asked for directly below a root.
    pub(crate) fn asks_for(&self, root: &Root, name: &str) -> bool {
        self.fields(&root.selection).iter().any(|field| field.node.name.node == name)
    }

    fn selected(&self, selection: &SelectionSet, value: &Value) -> Value {
        match value {
            Value::Array(list) => list.iter().map(|entry| self.selected(selection, entry)).collect(),
            Value::Object(known) if !selection.items.is_empty() => {
                let mut picked = Map::new();
                for field in self.fields(selection) {
                    let inner = known.get(field.node.name.node.as_str()).unwrap_or(&Value::Null);
                    let inner = self.selected(&field.node.selection_set.node, inner);
                    picked.insert(field.node.response_key().node.to_string(), inner);
                }
                Value::Object(picked)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                value.clone()
            }
        }
    }

    fn check(&self, field: &Positioned<Field>, of: &str, version: Minor) -> Result<(), Invalid> {
        let name = field.node.name.node.as_str();
        let Some(known) = schema::field(of, name, version) else {
            return Err(Invalid::at(field.pos, format!("Cannot query field \"{name}\" on type \"{of}\".")));
        };
        let inner = self.fields(&field.node.selection_set.node);
        match (known.of, inner.is_empty()) {
            (Some(of), false) => inner.into_iter().try_for_each(|field| self.check(field, of, version)),
            (None, true) => Ok(()),
            (Some(of), true) => {
                let message =
                    format!("Field \"{name}\" of type \"{of}\" must have a selection of subfields.");
                Err(Invalid::at(field.pos, message))
            }
            (None, false) => {
                let message = format!("Field \"{name}\" must not have a selection: it has no subfields.");
                Err(Invalid::at(field.pos, message))
            }
        }
    }

    /// The fields of a selection, with those of fragments put in their place.
    fn fields<'a>(&'a self, selection: &'a SelectionSet) -> Vec<&'a Positioned<Field>> {
        let mut fields = Vec::new();
        self.collect(selection, FRAGMENT_DEPTH, &mut fields);
        fields
    }

    fn collect<'a>(
        &'a self,
        selection: &'a SelectionSet,
        depth: usize,
        fields: &mut Vec<&'a Positioned<Field>>,
    ) {
        let Some(deeper) = depth.checked_sub(1) else { return };
        for item in &selection.items {
            let inner = match &item.node {
                Selection::Field(field) => {
                    fields.push(field);
                    None
                }
                Selection::InlineFragment(inline) => Some(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    self.fragments.get(spread.node.fragment_name.node.as_str())
                }
            };
            if let Some(inner) = inner {
                self.collect(inner, deeper, fields);
            }
        }
    }
}

fn chosen<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, Invalid> {
    let found = match &document.operations {
        DocumentOperations::Single(operation) => Some(operation),
        DocumentOperations::Multiple(all) if all.len() == 1 => all.values().next(),
        DocumentOperations::Multiple(all) => name.and_then(|name| all.get(name)),
    };
    found.map(|operation| &operation.node).ok_or_else(|| Invalid::operation("operation not found"))
}

/// The variables sent, and the defaults of those that were not. Those must not be missing that must not be null.
fn with_defaults(
    definition: &OperationDefinition,
    sent: &Map<String, Value>,
) -> Result<Map<String, Value>, Invalid> {
    let mut variables = Map::new();
    for variable in &definition.variable_definitions {
        let name = variable.node.name.node.as_str();
        let default = variable.node.default_value.as_ref().map(|value| json_of(&value.node));
        let value = sent.get(name).cloned().or(default).unwrap_or(Value::Null);
        if value.is_null() && !variable.node.var_type.node.nullable {
            return Err(Invalid::at(variable.pos, "must be defined".to_owned()));
        }
        variables.insert(name.to_owned(), value);
    }
    Ok(variables)
}

fn resolved(value: &Positioned<Argument>, variables: &Map<String, Value>) -> Result<Value, Invalid> {
    let constant = value.node.clone().into_const_with(|name| {
        let known = variables.get(name.as_str());
        let known =
            known.ok_or_else(|| Invalid::at(value.pos, format!("Variable \"${name}\" is not defined.")))?;
        Ok(ConstValue::from_json(known.clone()).unwrap_or_default())
    })?;
    Ok(json_of(&constant))
}

fn json_of(value: &ConstValue) -> Value {
    value.clone().into_json().unwrap_or_default()
}
