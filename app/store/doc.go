// Package store holds what the console knows: it folds streams with contracts/runstate, follows the list of
// runs, judges documents as they are typed, and publishes each as one go-app state that pages observe. It is
// the only package that sets state, and it never touches the network itself: packages feed and command do.
package store
