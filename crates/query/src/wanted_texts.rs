//! A rule of the planner: texts are read only in rows that some aggregate counts.
//!
//! ```text
//! AggregateExec  sum(words) FILTER (WHERE direction = 0), count(*)
//!   ProjectionExec …
//!     ShapeExec  read where direction = 0
//! ```
//!
//! Where all that is asked of texts are columns of their shapes, by aggregates with filters on
//! other columns, a row that no filter keeps has nulls there, which nobody sees. Arguments that are
//! more than a column, or a cast of one, are not narrowed: those of groups, and projections beneath,
//! are worked out for all rows, and what is fine of a shape may be an error of a null, as
//! `bytes / coalesce(chars, 0)`. Bytes are told of all texts, for no text need be read for them.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, CastExpr, Column, LambdaVariable};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::projection::ProjectionExec;

use crate::plans::{is_dealing, with_children};
use crate::shape_exec::ShapeExec;

type Expr = Arc<dyn PhysicalExpr>;

/// See the module.
#[derive(Debug)]
pub(crate) struct WantedTexts;

impl PhysicalOptimizerRule for WantedTexts {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let narrowed = plan.transform_up(|plan| {
            let input = plan.downcast_ref::<AggregateExec>().map(input_of_wanted).transpose()?;
            Ok(match input.flatten() {
                Some(input) => Transformed::yes(with_children(plan, vec![input])?),
                None => Transformed::no(plan),
            })
        });
        narrowed.map(|narrowed| narrowed.data)
    }

    fn name(&self) -> &'static str {
        "wanted_texts"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The input of an aggregate, with texts read only where it counts them; `None` if it may count
/// all.
fn input_of_wanted(aggregate: &AggregateExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let (mut projections, mut between) = (Vec::new(), Vec::new());
    let mut beneath = aggregate.input();
    loop {
        if let Some(projection) = beneath.downcast_ref::<ProjectionExec>() {
            projections.push(projection);
        } else if !is_dealing(beneath) {
            break;
        }
        between.push(beneath);
        beneath = beneath.children()[0];
    }
    let Some(shape) = beneath.downcast_ref::<ShapeExec>() else { return Ok(None) };
    // By columns of the operator of shapes.
    let meant = |expr: &Expr| projections.iter().try_fold(Arc::clone(expr), replaced);
    let reads = |expr: &Expr| meant(expr).map(|expr| shape.reads_text(&expr));

    for (group, _) in aggregate.group_expr().expr() {
        if reads(group)? {
            return Ok(None);
        }
    }
    let can_narrow = |filter: &Expr| shape.is_of_input(filter) && is_sure(filter);
    let mut wanted: Vec<Expr> = Vec::new();
    for (function, filter) in aggregate.aggr_expr().iter().zip(aggregate.filter_expr()) {
        let orders = function.order_bys().iter().map(|order| Arc::clone(&order.expr));
        let arguments = function.expressions().into_iter().chain(orders);
        let arguments = arguments.map(|expr| meant(&expr)).collect::<Result<Vec<_>>>()?;
        let mut asked = arguments.iter().filter(|expr| shape.reads_text(expr)).peekable();
        let filter = filter.as_ref().map(meant).transpose()?;
        if filter.as_ref().is_some_and(|filter| shape.reads_text(filter)) {
            return Ok(None);
        }
        if asked.peek().is_none() {
            continue;
        }
        match filter {
            Some(filter) if asked.all(is_column) && can_narrow(&filter) => {
                if !wanted.contains(&filter) {
                    wanted.push(filter);
                }
            }
            _ => return Ok(None),
        }
    }
    let either = |one, other| Arc::new(BinaryExpr::new(one, Operator::Or, other)) as Expr;
    let Some(wanted) = wanted.into_iter().reduce(either) else { return Ok(None) };
    let narrowed: Arc<dyn ExecutionPlan> = Arc::new(shape.only_where(&wanted)?);
    let input = between
        .into_iter()
        .rev()
        .try_fold(narrowed, |input, plan| with_children(Arc::clone(plan), vec![input]));
    input.map(Some)
}

/// An expression over what a projection gives, by what the projection is given.
fn replaced(expr: Expr, projection: &&ProjectionExec) -> Result<Expr> {
    let replaced = expr.transform_down(|expr| {
        Ok(match expr.downcast_ref::<Column>() {
            Some(column) => match projection.expr().get(column.index()) {
                Some(meant) => {
                    Transformed::new(Arc::clone(&meant.expr), true, TreeNodeRecursion::Jump)
                }
                None => return internal_err!("{column} is no column of the projection"),
            },
            None => Transformed::no(expr),
        })
    });
    replaced.map(|replaced| replaced.data)
}

/// Whether an expression is a column, or a cast of one.
fn is_column(expr: &Expr) -> bool {
    match expr.downcast_ref::<CastExpr>() {
        Some(cast) => is_column(cast.expr()),
        None => expr.is::<Column>(),
    }
}

/// Whether an expression says the same whenever it is asked, and its columns are all that it names
/// by their places: the variables of lambdas are counted behind them.
fn is_sure(expr: &Expr) -> bool {
    let is_unsure = |expr: &Expr| Ok(expr.is_volatile_node() || expr.is::<LambdaVariable>());
    !expr.exists(is_unsure).unwrap_or(true)
}
