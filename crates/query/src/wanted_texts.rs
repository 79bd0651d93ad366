//! A rule of the planner: texts are read only in rows that some aggregate counts.
//!
//! ```text
//! AggregateExec  sum(words) FILTER (WHERE direction = 0), count(*)
//!   ProjectionExec …
//!     ShapeExec  read where direction = 0
//! ```
//!
//! Where all that is asked of texts are aggregates with filters, and no filter asks for a shape itself, a row
//! that no filter keeps has a shape of nulls, which nobody sees.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};

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
                Some(input) => {
                    let again = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
                    Transformed::yes(plan.replace_children(vec![input], again)?)
                }
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

/// The input of an aggregate, with texts read only where it counts them; `None` if it may count all.
fn input_of_wanted(aggregate: &AggregateExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let mut projections = Vec::new();
    let mut beneath = aggregate.input();
    while let Some(projection) = beneath.downcast_ref::<ProjectionExec>() {
        projections.push(projection);
        beneath = projection.input();
    }
    let Some(shape) = beneath.downcast_ref::<ShapeExec>() else { return Ok(None) };
    // By columns of the shape's operator.
    let meant = |expr: &Expr| projections.iter().try_fold(Arc::clone(expr), replaced);
    let reads = |expr: &Expr| meant(expr).map(|expr| shape.reads_text(&expr));

    for (group, _) in aggregate.group_expr().expr() {
        if reads(group)? {
            return Ok(None);
        }
    }
    let mut wanted: Vec<Expr> = Vec::new();
    for (function, filter) in aggregate.aggr_expr().iter().zip(aggregate.filter_expr()) {
        let orders = function.order_bys().iter().map(|order| Arc::clone(&order.expr));
        let mut asks = false;
        for expr in function.expressions().into_iter().chain(orders) {
            asks |= reads(&expr)?;
        }
        let filter = filter.as_ref().map(meant).transpose()?;
        match filter {
            Some(filter) if shape.reads_text(&filter) || is_volatile(&filter) => return Ok(None),
            Some(filter) if asks && !wanted.contains(&filter) => wanted.push(filter),
            None if asks => return Ok(None),
            _ => {}
        }
    }
    let either = |one, other| Arc::new(BinaryExpr::new(one, Operator::Or, other)) as Expr;
    let Some(wanted) = wanted.into_iter().reduce(either) else { return Ok(None) };
    let narrowed: Arc<dyn ExecutionPlan> = Arc::new(shape.only_where(&wanted)?);
    let input = projections.into_iter().rev().try_fold(narrowed, |input, projection| {
        ProjectionExec::try_new(projection.expr().to_vec(), input).map(|plan| Arc::new(plan) as _)
    });
    input.map(Some)
}

/// An expression over what a projection gives, by what the projection is given.
fn replaced(expr: Expr, projection: &&ProjectionExec) -> Result<Expr> {
    let replaced = expr.transform_down(|expr| {
        Ok(match expr.downcast_ref::<Column>() {
            Some(column) => {
                let meant = Arc::clone(&projection.expr()[column.index()].expr);
                Transformed::new(meant, true, TreeNodeRecursion::Jump)
            }
            None => Transformed::no(expr),
        })
    });
    replaced.map(|replaced| replaced.data)
}

/// Whether it may say otherwise when it is asked again.
fn is_volatile(expr: &Expr) -> bool {
    expr.exists(|expr| Ok(expr.is_volatile_node())).unwrap_or(true)
}
