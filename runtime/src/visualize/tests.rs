use super::blocks::Block;
use super::svg::{LINE, Node, Shape};
use super::tasks::{function_node, value_node};
use super::*;
use crate::display::text::width;
use crate::graph::{
    Arguments, AxisMap, Block as ChunkOf, BlockInput, Data, Grid, LayerId, Listed, Operation,
    TaskFamily, TaskRef, Value,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

struct Named(String);

impl Operation for Named {
    fn name(&self) -> &str {
        &self.0
    }
    fn arguments(&self) -> Arguments {
        Arguments::none()
    }
    fn run(&self, _: &ChunkOf<'_>, _: Vec<Value>) -> Result<Value> {
        Ok(Value::opaque(()))
    }
}

fn named(name: &str) -> Named {
    Named(name.to_owned())
}

fn root(name: &str, grid: &[u32]) -> Arc<Layer> {
    Layer::blockwise(named(name), Grid::new(grid.iter().copied()), vec![], vec![])
}

/// One task per chunk, which reads the same chunk of every input.
fn on(name: &str, inputs: &[&Arc<Layer>]) -> Arc<Layer> {
    let grid = inputs[0].grid().clone();
    let blocks = (0..inputs.len())
        .map(|at| BlockInput::same(at, grid.counts().len()))
        .collect();
    Layer::blockwise(
        named(name),
        grid,
        blocks,
        inputs.iter().map(|&layer| layer.clone()).collect(),
    )
}

fn transposed(input: &Arc<Layer>) -> Arc<Layer> {
    let counts = input.grid().counts();
    let axes = [AxisMap::Output(1), AxisMap::Output(0)]
        .into_iter()
        .collect();
    Layer::blockwise(
        named("transpose"),
        Grid::new([counts[1], counts[0]]),
        vec![BlockInput {
            dependency: 0,
            axes,
        }],
        vec![input.clone()],
    )
}

/// One task that reads everything.
struct All(Named, u32);

impl TaskFamily for All {
    fn operation(&self, _: &[u32]) -> &dyn Operation {
        &self.0
    }
    fn inputs(&self, _: &[u32], inputs: &mut Vec<TaskRef>) {
        inputs.extend((0..self.1).map(|linear| TaskRef {
            dependency: 0,
            linear,
        }));
    }
}

fn all(name: &str, input: &Arc<Layer>) -> Arc<Layer> {
    let family = All(named(name), input.grid().len() as u32);
    Layer::family(&named(name), family, Grid::single(), vec![input.clone()])
}

/// A listed layer: names, and inputs by position.
fn listed(tasks: &[(&str, Vec<u32>)]) -> Arc<Layer> {
    let mut listed = Listed::new();
    for (at, (name, inputs)) in tasks.iter().enumerate() {
        let inputs = inputs.iter().map(|&linear| TaskRef::own(linear));
        let key = format!("{name}-{at}");
        listed.push_keyed(key.into(), Arc::new(named(name)), inputs);
    }
    Layer::listed(LayerId::of("custom"), "custom", listed, vec![])
}

fn svg(output: &Arc<Layer>) -> String {
    draw(std::slice::from_ref(output), &GraphStyle::default())
        .unwrap()
        .0
}

fn lines(svg: &str) -> String {
    svg.replace("><g>", ">\n<g>").replace("><path", ">\n<path")
}

/// ones ─→ (0, 0) ─→ add ─→ (0, 0) …, and ones ─→ transpose ─→ add.
#[test]
fn a_matrix_and_its_transpose() {
    let x = root("ones", &[2, 2]);
    insta::assert_snapshot!(lines(&svg(&on("add", &[&x, &transposed(&x)]))));
}

/// (0,) ─→ mean_chunk ─→ mean, of values that are available.
#[test]
fn a_mean_of_values() {
    let values = Layer::values(
        LayerId::of("data"),
        Grid::new([3]),
        Data::new("data", vec![Value::opaque(()); 3]),
    );
    insta::assert_snapshot!(lines(&svg(&all("mean", &on("mean_chunk", &[&values])))));
}

#[test]
fn the_pipeline_has_the_user_s_keys() {
    let tasks = [
        ("load", vec![]),
        ("load", vec![]),
        ("clean", vec![0]),
        ("clean", vec![1]),
        ("analyze", vec![2, 3]),
        ("store", vec![4]),
    ];
    let drawn = svg(&listed(&tasks));
    for key in [
        "load-0",
        "load-1",
        "clean-2",
        "clean-3",
        "analyze-4",
        "store-5",
    ] {
        assert!(drawn.contains(&format!(">{key}</text>")), "{key}");
    }
    assert!(drawn.contains(
        "aria-label=\"Task graph of 6 tasks: load × 2, clean × 2, analyze × 1, store × 1\""
    ));
}

#[test]
fn a_large_graph_is_drawn_by_layer() {
    let x = root("ones", &[100, 100]);
    let drawn = svg(&all("sum", &on("add", &[&x, &transposed(&x)])));
    insta::assert_snapshot!(lines(&drawn));
}

#[test]
fn a_million_tasks_are_no_smear() {
    let x = root("ones", &[1000, 1000]);
    let drawn = svg(&all("sum", &on("add", &[&x, &transposed(&x)])));
    assert!(drawn.contains("1,000,000 tasks") && drawn.contains("1,000 × 1,000"));
    assert!(drawn.len() < 10_000);
}

#[test]
fn what_is_culled_is_not_drawn() {
    let x = root("read", &[10_000]);
    let family = All(named("head"), 1);
    let head = Layer::family(&named("head"), family, Grid::single(), vec![x]);
    let drawn = svg(&head);
    assert!(drawn.contains("Task graph of 2 tasks"), "{drawn}");
}

#[test]
fn delayed_calls_are_put_together_by_operation_and_depth() {
    let mut tasks = Vec::new();
    for at in 0..2000u32 {
        tasks.push(("load", vec![]));
        tasks.push(("process", vec![2 * at]));
    }
    tasks.push(("summarize", (0..2000).map(|at| 2 * at + 1).collect()));
    let drawn = svg(&listed(&tasks));
    assert_eq!(drawn.matches("2,000 tasks</text>").count(), 2);
    assert!(drawn.contains("drawn by operation and depth"));
}

#[test]
fn a_long_chain_is_one_block_that_says_so() {
    let mut layer = root("load", &[]);
    for _ in 0..3000 {
        layer = Layer::single(LayerId::unique(), Arc::new(named("step")), [layer]);
    }
    let drawn = svg(&layer);
    assert!(
        drawn.contains("3,000 tasks</text>") && drawn.contains("some run in sequence"),
        "{drawn}"
    );
}

#[test]
fn optimised_graphs_have_fewer_tasks() {
    let y = on("sqrt", &[&on("add", &[&root("ones", &[4])])]);
    let style = GraphStyle {
        optimize: true,
        ..GraphStyle::default()
    };
    assert!(
        draw(std::slice::from_ref(&y), &style)
            .unwrap()
            .0
            .contains("Task graph of 4 tasks: ones-add-sqrt × 4")
    );
    assert!(svg(&y).contains("Task graph of 12 tasks"));
}

#[test]
fn an_empty_graph_is_a_picture() {
    assert!(svg(&root("ones", &[0])).contains("Task graph without tasks"));
}

/// Returns whether a node's lines lie inside its shape.
fn fits(node: &Node) -> bool {
    let line_height = match node.shape {
        Shape::Block { .. } => 1.3,
        _ => LINE,
    };
    let total: f64 = node.lines.iter().map(|line| line.size * line_height).sum();
    let mut top = -total / 2.0;
    node.lines.iter().all(|line| {
        let middle = top + line.size * line_height / 2.0;
        top += line.size * line_height;
        let half = width(&line.text, line.size) / 2.0;
        // The distance from the middle to the baseline, and to the top of a small
        // letter.
        let reach = middle.abs() + line.size * 0.36;
        match node.shape {
            Shape::Circle { radius, .. } => half.hypot(reach) <= radius,
            Shape::Square { size, .. } | Shape::Block { size, .. } => {
                half <= size.0 / 2.0 && reach <= size.1 / 2.0
            }
        }
    })
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,10}(_[a-z]{1,8}){0,5}", "[a-z]{1,60}", "\\PC{0,40}"]
}

proptest! {
    #[test]
    fn labels_fit_their_nodes(name in names(), tasks in any::<usize>(), nth in 0usize..100_000) {
        let block = Block {
            operation: name.clone(), tasks, grid: Some("1,000 × 1,000".to_owned()), there: false,
            name: name.clone(), layers: 1,
        };
        let nodes = [
            function_node(&name, "key", "#000"),
            value_node(&name, &name, "key", false),
            value_node(&format!("({nth}, {nth})"), &name, "key", true),
            block.node("#000", true),
        ];
        for node in &nodes {
            prop_assert!(fits(node), "{:?} in {:?}", node.lines.iter().map(|line| &line.text).collect::<Vec<_>>(), node.shape);
            prop_assert!(node.shape.size().0 < 320.0 && node.shape.size().1 <= 90.0);
        }
    }

    /// Random graphs of listed tasks.
    #[test]
    fn every_task_has_its_nodes(tasks in prop::collection::vec((0usize..8, prop::collection::vec(any::<prop::sample::Index>(), 0..4)), 1..60)) {
        let tasks: Vec<(&str, Vec<u32>)> = tasks.iter().enumerate().map(|(at, (name, inputs))| {
            let names = ["load", "clean", "mean_chunk", "read_csv", "a", "transpose", "group_by_partial", "x-y-z"];
            (names[*name], inputs.iter().filter(|_| at > 0).map(|input| input.index(at) as u32).collect())
        }).collect();
        let layer = listed(&tasks);
        let drawn = svg(&layer);
        prop_assert_eq!(drawn.matches("<circle").count(), tasks.len());
        prop_assert_eq!(drawn.matches("<rect").count(), tasks.len());
        let edges: usize = tasks.iter().map(|(_, inputs)| inputs.iter().collect::<BTreeSet<_>>().len() + 1).sum();
        prop_assert_eq!(drawn.matches('Z').count(), edges);
        for (at, (name, _)) in tasks.iter().enumerate() {
            prop_assert!(drawn.contains(&format!("{name}-{at}\n")), "no tooltip with the key of task {at}");
        }
        for rankdir in [Direction::TopToBottom, Direction::LeftToRight] {
            let style = GraphStyle { rankdir, ..GraphStyle::default() };
            let drawn = draw(std::slice::from_ref(&layer), &style).unwrap().0;
            prop_assert_eq!(drawn.matches('Z').count(), edges);
        }
        let style = GraphStyle { max_tasks: 0, ..GraphStyle::default() };
        prop_assert!(draw(std::slice::from_ref(&layer), &style).unwrap().0.contains("drawn by "));
    }
}
