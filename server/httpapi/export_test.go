package httpapi

// Routes returns the methods of each path of the route table, and whether they are open to everyone.
func (a *API) Routes() map[string]map[string]bool {
	routes := make(map[string]map[string]bool)
	for _, res := range a.resources() {
		routes[res.path] = make(map[string]bool)
		for method := range res.methods {
			routes[res.path][method] = res.open
		}
	}
	return routes
}
