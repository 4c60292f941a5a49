package recipes

// End ends the grant as Release does, and leaves its node where it is: nobody else is let
// through before that has gone. It is for recipes that give up what they hold by a
// transaction of their own, together with other changes; hand-over to a certain contender
// is one. Such a transaction runs in Session and has to check or delete the grant's node, so that it
// comes to nothing if that has gone by itself. Unless it has deleted the node, Release has to
// follow: nothing else deletes it before the session ends. Calling End again, or after the
// grant was lost, does nothing.
func (g *Grant) End() {
	g.unhook()
	g.end(ErrReleased)
	g.stop()
}
