package contracts

// Version is the version of the contract suite that this code writes.
const Version = 2
