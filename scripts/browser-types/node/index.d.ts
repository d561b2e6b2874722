// Stands in for the Node types that declarations of packages refer to: browser entries must compile without them.
export {};
