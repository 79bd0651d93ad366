//! `code_name(list, code)` and `sender_bucket(sender)`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int32Array, StringArray};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;
use turnwise_model::ids::sender_bucket;
use turnwise_model::{
    Category, Direction, InteractiveType, MessageKind, Origin, PricingModel, PricingRegime,
    PricingType, Script, Status,
};

use super::function;

pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        function("code_name", vec![DataType::Utf8, DataType::Int32], DataType::Utf8, code_name),
        function("sender_bucket", vec![DataType::Utf8], DataType::Int32, bucket),
    ]
}

/// `code_name('status', 1)` is `delivered`: the name of a stored code of a closed list.
fn code_name(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let lists = arguments[0].as_string::<i32>();
    let codes = arguments[1].as_primitive::<Int32Type>();
    let Some(list) = lists.iter().flatten().next() else {
        return Ok(Arc::new(StringArray::new_null(codes.len())));
    };
    let name: fn(i32) -> Option<&'static str> = match list {
        "direction" => |code| Direction::from_code(code).map(Direction::name),
        "origin" => |code| Origin::from_code(code).map(Origin::name),
        "message_kind" => |code| MessageKind::from_code(code).map(MessageKind::name),
        "interactive_type" => |code| InteractiveType::from_code(code).map(InteractiveType::name),
        "status" => |code| Status::from_code(code).map(Status::name),
        "category" => |code| Category::from_code(code).map(Category::name),
        "pricing_type" => |code| PricingType::from_code(code).map(PricingType::name),
        "pricing_model" => |code| PricingModel::from_code(code).map(PricingModel::name),
        "pricing_regime" => |code| PricingRegime::from_code(code).map(PricingRegime::name),
        "script" => |code| Script::from_code(code).map(Script::name),
        _ => return exec_err!("code_name: no list of codes is named so"),
    };
    let names = codes.iter().map(|code| code.and_then(name));
    Ok(Arc::new(names.collect::<StringArray>()))
}

/// `sender_bucket(sender)`: the partition of a sender in `sender_days`.
fn bucket(arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let senders = arguments[0].as_string::<i32>();
    let buckets = senders.iter().map(|sender| sender.map(sender_bucket));
    Ok(Arc::new(buckets.collect::<Int32Array>()))
}
