//! Keeps samples to themselves: the sample columns of `conversations`, and the states made of
//! them, may be arguments of our own functions and nothing else (law 1).
//!
//! The check walks the plan from its scans up and follows each protected column:
//!
//! ```text
//! scan of conversations      user_tokens, … are protected
//! projection, alias, filter  a bare column stays protected; in any other expression it is refused
//! aggregate                  peer_sample(…) of protected columns gives a protected state
//! projection                 topic_coincidence(state, …) gives a number that anybody may see
//! top                        a protected column in the answer is refused
//! ```
//!
//! A node that this module does not know is refused as soon as something below it is protected.

use std::collections::HashSet;

use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};
use turnwise_model::conversation::SAMPLE_COLUMNS;

use crate::error::QueryError;

/// Aggregate functions that may take samples and give a state of samples.
const SAMPLING: [&str; 3] = ["peer_sample", "peer_sample_merge", "text_sample"];
/// Scalar functions that may take samples or their states and give plain numbers.
const READING: [&str; 4] = ["topic_coincidence", "novelty", "skeleton_reuse", "returning_peers"];
/// The table whose samples are protected.
const CONVERSATIONS: &str = "conversations";

/// The protected columns of one plan node, by position in its schema.
type Protected = HashSet<usize>;

/// Refuses a plan that would show, compare, sort or group by samples, or show statistics: the
/// smallest and largest values of a file's columns, texts and hashes among them.
///
/// # Errors
/// [`QueryError::Refused`] with the column and what it may be used for.
pub fn check(plan: &LogicalPlan) -> Result<(), QueryError> {
    if let LogicalPlan::Explain(explain) = plan {
        if explain.verbose || explain.show_statistics == Some(true) {
            let reason = "EXPLAIN shows no statistics: leave out VERBOSE and STATISTICS";
            return Err(QueryError::Refused { reason: reason.to_owned() });
        }
        return check(&explain.plan);
    }
    if let LogicalPlan::Analyze(analyze) = plan {
        return check(&analyze.input);
    }
    let protected = protected(plan)?;
    match protected.iter().min() {
        Some(at) => Err(refuse(plan.schema().field(*at).name())),
        None => Ok(()),
    }
}

fn refuse(column: &str) -> QueryError {
    QueryError::Refused {
        reason: format!(
            "column {column} holds samples: it may only be an argument of {} (and the result of \
             {0} only of {}); SELECT * EXCEPT ({}) leaves the samples out",
            SAMPLING.join(", "),
            READING.join(", "),
            SAMPLE_COLUMNS.join(", "),
        ),
    }
}

fn protected(plan: &LogicalPlan) -> Result<Protected, QueryError> {
    check_subqueries(plan)?;
    match plan {
        LogicalPlan::TableScan(scan) => {
            let is_sample = |name: &str| SAMPLE_COLUMNS.contains(&name);
            let fields = plan.schema().fields().iter().enumerate();
            if scan.table_name.table() != CONVERSATIONS {
                return Ok(Protected::new());
            }
            for filter in &scan.filters {
                let named = filter.column_refs();
                if let Some(column) = named.iter().find(|column| is_sample(&column.name)) {
                    return Err(refuse(&column.name));
                }
            }
            Ok(fields.filter(|(_, field)| is_sample(field.name())).map(|(at, _)| at).collect())
        }
        LogicalPlan::Projection(projection) => {
            let input = Input::of(&projection.input)?;
            input.outputs(&projection.expr)
        }
        LogicalPlan::Aggregate(aggregate) => {
            let input = Input::of(&aggregate.input)?;
            input.refuse_any(&aggregate.group_expr)?;
            let groups = plan.schema().fields().len() - aggregate.aggr_expr.len();
            let mut outputs = Protected::new();
            for (at, expr) in aggregate.aggr_expr.iter().enumerate() {
                if input.samples(expr)? {
                    outputs.insert(groups + at);
                }
            }
            Ok(outputs)
        }
        LogicalPlan::Filter(filter) => {
            let input = Input::of(&filter.input)?;
            input.refuse_any(std::slice::from_ref(&filter.predicate))?;
            Ok(input.protected)
        }
        LogicalPlan::Sort(sort) => {
            let input = Input::of(&sort.input)?;
            let keys: Vec<Expr> = sort.expr.iter().map(|key| key.expr.clone()).collect();
            input.refuse_any(&keys)?;
            Ok(input.protected)
        }
        LogicalPlan::SubqueryAlias(alias) => protected(&alias.input),
        LogicalPlan::Limit(limit) => protected(&limit.input),
        LogicalPlan::Join(join) => {
            let (left, right) = (Input::of(&join.left)?, Input::of(&join.right)?);
            let width = join.left.schema().fields().len();
            if left.protected.is_empty() && right.protected.is_empty() {
                return Ok(Protected::new());
            }
            let both = Input {
                plan,
                protected: left
                    .protected
                    .iter()
                    .copied()
                    .chain(right.protected.iter().map(|at| at + width))
                    .collect(),
            };
            for (a, b) in &join.on {
                left.refuse_any(&[a.clone(), b.clone()])?;
                right.refuse_any(&[a.clone(), b.clone()])?;
            }
            both.refuse_any(join.filter.as_slice())?;
            Ok(both.protected)
        }
        other => {
            for input in other.inputs() {
                if let Some(at) = protected(input)?.iter().min() {
                    return Err(refuse(input.schema().field(*at).name()));
                }
            }
            Ok(Protected::new())
        }
    }
}

/// Plans inside expressions (scalar, IN and EXISTS subqueries) answer to the same rule.
fn check_subqueries(plan: &LogicalPlan) -> Result<(), QueryError> {
    let mut refused = None;
    let walked = plan.apply_expressions(|expr| {
        expr.apply(|part| {
            let subquery = match part {
                Expr::ScalarSubquery(subquery) => Some(&subquery.subquery),
                Expr::InSubquery(within) => Some(&within.subquery.subquery),
                Expr::Exists(exists) => Some(&exists.subquery.subquery),
                _ => None,
            };
            if let Some(Err(error)) = subquery.map(|plan| check(plan)) {
                refused = Some(error);
                return Ok(TreeNodeRecursion::Stop);
            }
            Ok(TreeNodeRecursion::Continue)
        })
    });
    walked.map_err(QueryError::engine("check the statement"))?;
    refused.map_or(Ok(()), Err)
}

/// A node's input and what of it is protected.
struct Input<'a> {
    plan: &'a LogicalPlan,
    protected: Protected,
}

impl<'a> Input<'a> {
    fn of(plan: &'a LogicalPlan) -> Result<Self, QueryError> {
        Ok(Self { plan, protected: protected(plan)? })
    }

    fn holds(&self, column: &Column) -> bool {
        let at = self.plan.schema().maybe_index_of_column(column);
        at.is_some_and(|at| self.protected.contains(&at))
    }

    /// Which expressions hand a protected column on as it is.
    fn outputs(&self, expressions: &[Expr]) -> Result<Protected, QueryError> {
        let mut outputs = Protected::new();
        for (at, expr) in expressions.iter().enumerate() {
            match unaliased(expr) {
                Expr::Column(column) if self.holds(column) => {
                    outputs.insert(at);
                }
                other => self.refuse(other)?,
            }
        }
        Ok(outputs)
    }

    fn refuse_any(&self, expressions: &[Expr]) -> Result<(), QueryError> {
        expressions.iter().try_for_each(|expr| self.refuse(expr))
    }

    /// Refuses a protected column anywhere but as a direct argument of a reading function.
    fn refuse(&self, expr: &Expr) -> Result<(), QueryError> {
        let mut refused = None;
        let walked = expr.apply(|part| {
            if let Expr::ScalarFunction(call) = part
                && READING.contains(&call.func.name())
            {
                let rest = call
                    .args
                    .iter()
                    .filter(|argument| !matches!(unaliased(argument), Expr::Column(_)));
                // Another call must not make good what this one does.
                if let Some(error) = rest.map(|part| self.refuse(part)).find_map(Result::err) {
                    refused = Some(error);
                    return Ok(TreeNodeRecursion::Stop);
                }
                return Ok(TreeNodeRecursion::Jump);
            }
            let outside = match part {
                Expr::Column(column) if self.holds(column) => Some(&column.name),
                // A column of the statement around a subquery: where it comes from is not seen
                // here, so its type decides. Lists of integers are what samples are kept as.
                Expr::OuterReferenceColumn(field, column) if is_state(field.data_type()) => {
                    Some(&column.name)
                }
                _ => None,
            };
            if let Some(name) = outside {
                refused = Some(refuse(name));
                return Ok(TreeNodeRecursion::Stop);
            }
            Ok(TreeNodeRecursion::Continue)
        });
        walked.map_err(QueryError::engine("check the statement"))?;
        refused.map_or(Ok(()), Err)
    }

    /// Whether an aggregate expression takes samples; refuses functions that may not.
    fn samples(&self, expr: &Expr) -> Result<bool, QueryError> {
        let Expr::AggregateFunction(call) = unaliased(expr) else {
            self.refuse(expr)?;
            return Ok(false);
        };
        if !SAMPLING.contains(&call.func.name()) {
            self.refuse(expr)?;
            return Ok(false);
        }
        let params = &call.params;
        let rest = params.args.iter().filter(|arg| !matches!(unaliased(arg), Expr::Column(_)));
        rest.chain(params.filter.as_deref()).try_for_each(|part| self.refuse(part))?;
        if params.distinct || !params.order_by.is_empty() {
            let keys: Vec<Expr> = params.order_by.iter().map(|key| key.expr.clone()).collect();
            self.refuse_any(&keys)?;
        }
        Ok(true)
    }
}

/// Whether a column may be a sample or a state made of samples.
fn is_state(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(element) if element.data_type() == &DataType::Int64)
}

fn unaliased(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased(&alias.expr),
        other => other,
    }
}
