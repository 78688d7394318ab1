//! Computes the positions of the nodes and edges of a layered graph.
//!
//! rust-sugiyama reduces the crossings and computes initial coordinates. This module
//! adds the rest: ranks with few long edges; *bends* (positions that a long edge
//! reserves on each rank that it passes, so that it runs around nodes and not
//! through them); and a final step that moves each rank's nodes towards their
//! neighbours, without letting two of them touch. Sizes are given and never change.
//! The result is deterministic.

use petgraph::unionfind::UnionFind;
use rust_sugiyama::configure::{Config, CrossingMinimization, RankingType};
use std::collections::BTreeSet;

/// A position, in pixels; y grows downwards.
pub(super) type Point = (f64, f64);

/// The direction of edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Roots below, results on top.
    #[default]
    BottomToTop,
    /// Roots on top.
    TopToBottom,
    /// Roots on the left.
    LeftToRight,
}

/// The positions of all nodes and edges.
#[derive(Debug)]
pub(super) struct Layout {
    /// The centre of each node.
    pub(super) centres: Vec<Point>,
    /// For each edge, the segments that it reserves on the ranks that it passes:
    /// where each begins and ends, in the order of the edge.
    pub(super) bends: Vec<Vec<(Point, Point)>>,
    /// The size of the drawing.
    pub(super) size: Point,
}

/// Space between neighbours on a rank.
const GAP: f64 = 14.0;
/// The space between ranks: the minimum, and the maximum for edges that lead far
/// sideways.
const RANK_GAP: (f64, f64) = (26.0, 150.0);
/// The width that a long edge reserves on a rank that it passes.
const BEND: f64 = 10.0;
/// The space between components, and the width at which a new row begins.
const COMPONENT_GAP: f64 = 26.0;
const ROW: f64 = 1060.0;

/// Lays out nodes of the given (width, height) and edges (from, to). Edges that
/// close a cycle are drawn against the direction. An edge from a node to itself is
/// not drawn.
pub(super) fn layout(sizes: &[Point], edges: &[(usize, usize)], direction: Direction) -> Layout {
    let turned = direction == Direction::LeftToRight;
    let turn = |(x, y): Point| if turned { (y, x) } else { (x, y) };
    let sizes: Vec<Point> = sizes.iter().copied().map(turn).collect();
    let mut layout = upward(&sizes, edges);
    let height = layout.size.1;
    let flip = |(x, y): Point| match direction {
        Direction::BottomToTop => (x, y),
        Direction::TopToBottom => (x, height - y),
        Direction::LeftToRight => (height - y, x),
    };
    for centre in &mut layout.centres {
        *centre = flip(*centre);
    }
    for bend in layout.bends.iter_mut().flatten() {
        *bend = (flip(bend.0), flip(bend.1));
    }
    layout.size = turn(layout.size);
    layout
}

/// Lays out the graph with the roots at the bottom.
fn upward(sizes: &[Point], edges: &[(usize, usize)]) -> Layout {
    let order = topological(sizes.len(), edges);
    let mut position = vec![0; sizes.len()];
    for (at, &node) in order.iter().enumerate() {
        position[node] = at;
    }
    let mut layout = Layout {
        centres: vec![(0.0, 0.0); sizes.len()],
        bends: vec![Vec::new(); edges.len()],
        size: (0.0, 0.0),
    };
    // Each component has its own area, in rows.
    let mut corner: Point = (0.0, 0.0);
    let mut row_height: f64 = 0.0;
    for component in components(&order, edges) {
        let placed = Component::new(&component, sizes, edges, &position).place();
        if corner.0 > 0.0 && corner.0 + placed.size.0 > ROW {
            corner = (0.0, corner.1 + row_height + COMPONENT_GAP);
            row_height = 0.0;
        }
        let moved = |(x, y): Point| (x + corner.0, y + corner.1);
        for (node, centre) in placed.centres {
            layout.centres[node] = moved(centre);
        }
        for (edge, bends) in placed.bends {
            layout.bends[edge] = bends
                .into_iter()
                .map(|(begin, end)| (moved(begin), moved(end)))
                .collect();
        }
        row_height = row_height.max(placed.size.1);
        layout.size = (
            layout.size.0.max(corner.0 + placed.size.0),
            layout.size.1.max(corner.1 + placed.size.1),
        );
        corner.0 += placed.size.0 + COMPONENT_GAP;
    }
    layout
}

/// Returns all nodes, each after its predecessors. Where a cycle blocks all nodes,
/// the one with the smallest number comes next.
fn topological(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut waiting = vec![0usize; count];
    let mut next = vec![Vec::new(); count];
    for &(from, to) in edges {
        if from != to {
            waiting[to] += 1;
            next[from].push(to);
        }
    }
    let mut ready: BTreeSet<usize> = (0..count).filter(|&node| waiting[node] == 0).collect();
    let mut left: BTreeSet<usize> = (0..count).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(node) = ready.pop_first().or_else(|| left.first().copied()) {
        left.remove(&node);
        order.push(node);
        for &to in &next[node] {
            waiting[to] = waiting[to].saturating_sub(1);
            if waiting[to] == 0 && left.contains(&to) {
                ready.insert(to);
            }
        }
    }
    order
}

/// Returns the nodes of each connected component, in the given order. Components are
/// in the order of their first nodes.
fn components(order: &[usize], edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut sets = UnionFind::<usize>::new(order.len());
    for &(from, to) in edges {
        sets.union(from, to);
    }
    let mut number = vec![usize::MAX; order.len()];
    let mut components: Vec<Vec<usize>> = Vec::new();
    for node in 0..order.len() {
        let set = sets.find(node);
        if number[set] == usize::MAX {
            number[set] = components.len();
            components.push(Vec::new());
        }
    }
    for &node in order {
        components[number[sets.find(node)]].push(node);
    }
    components
}

/// A connected component during its layout. Its vertices are its nodes in
/// topological order, followed by bends.
struct Component<'a> {
    nodes: &'a [usize],
    sizes: Vec<Point>,
    ranks: Vec<usize>,
    /// Links between neighbouring ranks, upwards, each once.
    links: Vec<(usize, usize)>,
    /// For each edge of the graph in this component: its number, whether it leads
    /// downwards, and its bends from below.
    routes: Vec<(usize, bool, Vec<usize>)>,
}

struct Placed {
    centres: Vec<(usize, Point)>,
    bends: Vec<(usize, Vec<(Point, Point)>)>,
    size: Point,
}

impl<'a> Component<'a> {
    fn new(
        nodes: &'a [usize],
        sizes: &[Point],
        edges: &[(usize, usize)],
        position: &[usize],
    ) -> Self {
        let mut local = vec![usize::MAX; sizes.len()];
        for (at, &node) in nodes.iter().enumerate() {
            local[node] = at;
        }
        let inner: Vec<(usize, bool, usize, usize)> = edges
            .iter()
            .enumerate()
            .filter(|(_, (from, to))| from != to && local[*from] != usize::MAX)
            .map(|(number, &(from, to))| {
                if position[from] < position[to] {
                    (number, false, local[from], local[to])
                } else {
                    (number, true, local[to], local[from])
                }
            })
            .collect();
        let unique: BTreeSet<(usize, usize)> = inner
            .iter()
            .map(|&(_, _, below, above)| (below, above))
            .collect();
        let mut component = Self {
            nodes,
            sizes: nodes.iter().map(|&node| sizes[node]).collect(),
            ranks: ranks(nodes.len(), &unique),
            links: Vec::new(),
            routes: Vec::new(),
        };
        let mut bends_of = std::collections::BTreeMap::new();
        for (below, above) in unique {
            bends_of.insert((below, above), component.link(below, above));
        }
        component.routes = inner
            .into_iter()
            .map(|(number, reversed, below, above)| {
                (number, reversed, bends_of[&(below, above)].clone())
            })
            .collect();
        component
    }

    /// Links two vertices through bends on the ranks between them.
    fn link(&mut self, below: usize, above: usize) -> Vec<usize> {
        let mut bends = Vec::new();
        let mut last = below;
        for rank in self.ranks[below] + 1..self.ranks[above] {
            let bend = self.sizes.len();
            self.sizes.push((BEND, 0.0));
            self.ranks.push(rank);
            self.links.push((last, bend));
            bends.push(bend);
            last = bend;
        }
        self.links.push((last, above));
        bends
    }

    fn place(self) -> Placed {
        let count = self.ranks.iter().max().map_or(0, |rank| rank + 1);
        let first = self.first_coordinates();
        let mut rows: Vec<Vec<usize>> = vec![Vec::new(); count];
        for vertex in 0..self.sizes.len() {
            rows[self.ranks[vertex]].push(vertex);
        }
        for row in &mut rows {
            row.sort_by(|&a, &b| first[a].total_cmp(&first[b]).then(a.cmp(&b)));
        }
        let x = self.settle(&rows, first);

        // Rank by rank, from the top.
        let heights: Vec<f64> = rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|&vertex| self.sizes[vertex].1)
                    .fold(0.0, f64::max)
            })
            .collect();
        let mut reach = vec![0.0f64; count];
        for &(below, above) in &self.links {
            let rank = self.ranks[below];
            reach[rank] = reach[rank].max((x[below] - x[above]).abs());
        }
        let mut centre_of_rank = vec![0.0; count];
        let mut top = 0.0;
        for rank in (0..count).rev() {
            if rank + 1 < count {
                top += (reach[rank] * 0.16).clamp(RANK_GAP.0, RANK_GAP.1);
            }
            centre_of_rank[rank] = top + heights[rank] / 2.0;
            top += heights[rank];
        }
        let left = (0..self.sizes.len())
            .map(|vertex| x[vertex] - self.sizes[vertex].0 / 2.0)
            .fold(f64::INFINITY, f64::min);
        let right = (0..self.sizes.len())
            .map(|vertex| x[vertex] + self.sizes[vertex].0 / 2.0)
            .fold(f64::NEG_INFINITY, f64::max);
        let at = |vertex: usize| (x[vertex] - left, centre_of_rank[self.ranks[vertex]]);
        Placed {
            centres: self
                .nodes
                .iter()
                .enumerate()
                .map(|(vertex, &node)| (node, at(vertex)))
                .collect(),
            bends: self
                .routes
                .iter()
                .map(|(edge, reversed, bends)| {
                    let mut stretches: Vec<(Point, Point)> = bends
                        .iter()
                        .map(|&bend| {
                            let (x, y) = at(bend);
                            let half = heights[self.ranks[bend]] / 2.0;
                            ((x, y + half), (x, y - half))
                        })
                        .collect();
                    if *reversed {
                        stretches.reverse();
                        for stretch in &mut stretches {
                            *stretch = (stretch.1, stretch.0);
                        }
                    }
                    (*edge, stretches)
                })
                .collect(),
            size: (right - left, top),
        }
    }

    /// Computes the order on each rank, and initial coordinates, by Sugiyama's
    /// method.
    fn first_coordinates(&self) -> Vec<f64> {
        let mut x: Vec<f64> = (0..self.sizes.len()).map(|vertex| vertex as f64).collect();
        if self.links.is_empty() {
            return x;
        }
        let vertices: Vec<(u32, Point)> = self
            .sizes
            .iter()
            .enumerate()
            .map(|(vertex, &size)| (vertex as u32, size))
            .collect();
        let links: Vec<(u32, u32)> = self
            .links
            .iter()
            .map(|&(below, above)| (below as u32, above as u32))
            .collect();
        let config = Config {
            minimum_length: 1,
            vertex_spacing: GAP,
            dummy_vertices: true,
            dummy_size: BEND,
            ranking_type: RankingType::MinimizeEdgeLength,
            c_minimization: CrossingMinimization::Barycenter,
            // Swapping neighbours one by one takes too long on wide graphs.
            transpose: self.sizes.len() <= 600,
        };
        // A suboptimal picture is better than a failed cell.
        let found = std::panic::catch_unwind(|| {
            rust_sugiyama::from_vertices_and_edges(&vertices, &links, &config)
        })
        .unwrap_or_default();
        for (vertex, (at, _)) in found.into_iter().flat_map(|(places, _, _)| places) {
            if at.is_finite() {
                x[vertex] = at;
            }
        }
        x
    }

    /// Moves vertices towards their neighbours. Each rank in turn gets the positions
    /// that minimise the sum of squared edge lengths, in its current order and with
    /// the required gaps.
    fn settle(&self, rows: &[Vec<usize>], mut x: Vec<f64>) -> Vec<f64> {
        const SWEEPS: usize = 40;
        let is_bend = |vertex: usize| vertex >= self.nodes.len();
        let mut neighbours: Vec<Vec<(usize, f64)>> = vec![Vec::new(); self.sizes.len()];
        let mut degrees = vec![(0, 0); self.sizes.len()];
        for &(below, above) in &self.links {
            degrees[below].1 += 1;
            degrees[above].0 += 1;
        }
        for &(below, above) in &self.links {
            // Long edges and chains should be straight.
            let chain = degrees[below].1 == 1 && degrees[above].0 == 1;
            let weight = match (is_bend(below), is_bend(above)) {
                (true, true) => 12.0,
                (false, false) if chain => 8.0,
                (false, false) => 1.0,
                _ => 2.0,
            };
            // A vertex with many neighbours on one side pulls each of them less: a
            // reduction moves over the middle of its inputs and does not move them.
            neighbours[below].push((above, weight / degrees[above].0 as f64));
            neighbours[above].push((below, weight / degrees[below].1 as f64));
        }
        let mut wanted = Vec::new();
        for sweep in 0..SWEEPS {
            for step in 0..rows.len() {
                let rank = if sweep % 2 == 0 {
                    step
                } else {
                    rows.len() - 1 - step
                };
                wanted.clear();
                wanted.extend(rows[rank].iter().map(|&vertex| {
                    let weight: f64 = neighbours[vertex].iter().map(|(_, weight)| weight).sum();
                    let sum: f64 = neighbours[vertex]
                        .iter()
                        .map(|&(other, weight)| weight * x[other])
                        .sum();
                    if weight > 0.0 {
                        (sum / weight, weight)
                    } else {
                        (x[vertex], 1.0)
                    }
                }));
                self.spread(&rows[rank], &wanted, &mut x);
            }
        }
        // Straightens nearly straight chains, from below.
        let mut under = vec![None; self.sizes.len()];
        for &(below, above) in &self.links {
            if degrees[below].1 == 1 && degrees[above].0 == 1 {
                under[above] = Some(below);
            }
        }
        for row in rows {
            wanted.clear();
            wanted.extend(row.iter().map(|&vertex| match under[vertex] {
                Some(below) => (x[below], 1000.0),
                None => (x[vertex], 1.0),
            }));
            self.spread(row, &wanted, &mut x);
        }
        x
    }

    /// Assigns positions to a rank's vertices. These are the closest to the wanted
    /// ones (each with a weight) at which neighbours keep their distance: isotonic
    /// regression by pooling adjacent violators.
    fn spread(&self, row: &[usize], wanted: &[(f64, f64)], x: &mut [f64]) {
        /// Vertices that touch: their number, the mean of their wanted positions,
        /// their weight.
        struct Pool {
            members: usize,
            mean: f64,
            weight: f64,
        }
        let mut offsets = Vec::with_capacity(row.len());
        let mut offset = 0.0;
        for (at, &vertex) in row.iter().enumerate() {
            if at > 0 {
                offset += (self.sizes[row[at - 1]].0 + self.sizes[vertex].0) / 2.0 + GAP;
            }
            offsets.push(offset);
        }
        let mut pools: Vec<Pool> = Vec::new();
        for (at, &(place, weight)) in wanted.iter().enumerate() {
            let mut pool = Pool {
                members: 1,
                mean: place - offsets[at],
                weight,
            };
            while let Some(last) = pools.pop_if(|last| last.mean >= pool.mean) {
                let weight = last.weight + pool.weight;
                pool = Pool {
                    members: last.members + pool.members,
                    mean: (last.mean * last.weight + pool.mean * pool.weight) / weight,
                    weight,
                };
            }
            pools.push(pool);
        }
        let mut members = row.iter().zip(&offsets);
        for pool in pools {
            for (&vertex, offset) in members.by_ref().take(pool.members) {
                x[vertex] = pool.mean + offset;
            }
        }
    }
}

/// Returns a rank for each vertex, with the roots lowest. A vertex is as low as its
/// inputs allow, then moved up to its consumers where that lengthens no more edges
/// than it shortens.
fn ranks(count: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<usize> {
    let mut ranks = vec![0usize; count];
    let mut inputs = vec![0usize; count];
    let mut outputs: Vec<Vec<usize>> = vec![Vec::new(); count];
    // Vertices are numbered topologically and edges are sorted by the lower end.
    for &(below, above) in edges {
        ranks[above] = ranks[above].max(ranks[below] + 1);
        inputs[above] += 1;
        outputs[below].push(above);
    }
    for vertex in (0..count).rev() {
        if inputs[vertex] <= outputs[vertex].len()
            && let Some(above) = outputs[vertex].iter().map(|&above| ranks[above]).min()
        {
            ranks[vertex] = above - 1;
        }
    }
    let lowest = ranks.iter().copied().min().unwrap_or(0);
    ranks.iter().map(|rank| rank - lowest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sizes of nodes, and edges between arbitrary nodes.
    fn graphs() -> impl Strategy<Value = (Vec<Point>, Vec<(usize, usize)>)> {
        (1usize..40).prop_flat_map(|count| {
            (
                prop::collection::vec((20.0..90.0f64, 20.0..90.0f64), count),
                prop::collection::vec((0..count, 0..count), 0..80),
            )
        })
    }

    fn apart(sizes: &[Point], layout: &Layout) -> Result<(), TestCaseError> {
        let nodes: Vec<(Point, Point)> = layout
            .centres
            .iter()
            .copied()
            .zip(sizes.iter().copied())
            .collect();
        for (number, &((x, y), (width, height))) in nodes.iter().enumerate() {
            prop_assert!(x - width / 2.0 >= -1e-6 && x + width / 2.0 <= layout.size.0 + 1e-6);
            prop_assert!(y - height / 2.0 >= -1e-6 && y + height / 2.0 <= layout.size.1 + 1e-6);
            for &((other_x, other_y), other) in &nodes[..number] {
                let clear = (x - other_x).abs() >= (width + other.0) / 2.0 - 1e-6
                    || (y - other_y).abs() >= (height + other.1) / 2.0 - 1e-6;
                prop_assert!(clear, "node {number} overlaps another");
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

        #[test]
        fn no_two_nodes_overlap((sizes, edges) in graphs()) {
            for direction in [Direction::BottomToTop, Direction::TopToBottom, Direction::LeftToRight] {
                apart(&sizes, &layout(&sizes, &edges, direction))?;
            }
        }

        #[test]
        fn edges_lead_upwards((sizes, edges) in graphs()) {
            let edges: Vec<_> = edges.into_iter().filter(|(from, to)| from < to).collect();
            let layout = layout(&sizes, &edges, Direction::BottomToTop);
            for ((from, to), bends) in edges.iter().zip(&layout.bends) {
                let mut last = layout.centres[*from].1;
                for (begin, end) in bends {
                    prop_assert!(begin.1 < last && end.1 <= begin.1);
                    last = end.1;
                }
                prop_assert!(layout.centres[*to].1 < last);
            }
        }

        /// No long edge runs through a node on a rank that it passes.
        #[test]
        fn bends_pass_beside_nodes((sizes, edges) in graphs()) {
            let layout = layout(&sizes, &edges, Direction::BottomToTop);
            for (begin, end) in layout.bends.iter().flatten() {
                for (centre, size) in layout.centres.iter().zip(&sizes) {
                    let beside = (centre.0 - begin.0).abs() >= size.0 / 2.0 - 1e-6;
                    let over = centre.1 - size.1 / 2.0 >= begin.1.max(end.1) - 1e-6
                        || centre.1 + size.1 / 2.0 <= begin.1.min(end.1) + 1e-6;
                    prop_assert!(beside || over);
                }
            }
        }

        #[test]
        fn the_same_graph_looks_the_same((sizes, edges) in graphs()) {
            let [a, b] = [0; 2].map(|_| layout(&sizes, &edges, Direction::BottomToTop));
            prop_assert_eq!(a.centres, b.centres);
            prop_assert_eq!(a.bends, b.bends);
        }
    }

    #[test]
    fn a_reduction_stands_over_the_middle_of_what_it_takes() {
        let sizes = [(40.0, 40.0); 6];
        let edges = [(0, 5), (1, 5), (2, 5), (3, 5), (4, 5)];
        let layout = layout(&sizes, &edges, Direction::BottomToTop);
        let middle = layout.size.0 / 2.0;
        assert!((layout.centres[5].0 - middle).abs() < 1.0);
    }

    #[test]
    fn nothing_has_no_size() {
        assert_eq!(layout(&[], &[], Direction::BottomToTop).size, (0.0, 0.0));
    }
}
