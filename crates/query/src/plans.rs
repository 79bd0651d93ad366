//! What operators and rules of the planner share.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_expr::Partitioning;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions};

/// A plan with other children, its properties worked out anew.
pub(crate) fn with_children(
    plan: Arc<dyn ExecutionPlan>,
    children: Vec<Arc<dyn ExecutionPlan>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let anew = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    plan.replace_children(children, anew)
}

/// Whether a plan deals its input's batches out to partitions as they are.
pub(crate) fn is_dealing(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let dealing = plan.downcast_ref::<RepartitionExec>();
    dealing.is_some_and(|plan| matches!(plan.partitioning(), Partitioning::RoundRobinBatch(_)))
}
