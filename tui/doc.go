// Package tui is the terminal screens of the companion.
//
// A key becomes an intent (tui/intent: the one table of keys), the intent goes to
// the screen on top (tui/screen: pure values), and the screen answers with what it
// is then and with an effect. Effects are few: show or close a screen, copy, say a
// line, and place an order (tui/order), which is asked about as its weight demands
// and carried out behind the port Group. What is to be seen arrives from the other
// side: the group's follower pushes pictures, and screens draw from the last one.
//
//	key, click, paste -> intent -> screen -> effect -> Model -> order -> Group
//	watches -> Group.Follow -> picture -> scene -> every screen's View
//
// So no screen reads or writes anything, and no View depends on more than the
// model: time, width and theme are fields. When the connection is gone the last
// picture stays, with its age, and what would change something is off and says why.
package tui
