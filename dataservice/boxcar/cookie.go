package boxcar

import "net/http"

// cookie is the name of the original's, which its clients keep without being told
// to.
const cookie = "JSESSIONID"

// SessionOf is the session that a request names; empty: none.
func SessionOf(r *http.Request) string {
	c, err := r.Cookie(cookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// Tell has the client name the session in what it asks from now on; an empty id
// has it forget. The cookie goes to all services, since each is at several paths.
func Tell(w http.ResponseWriter, r *http.Request, id string) {
	c := &http.Cookie{Name: cookie, Value: id, Path: "/services/", HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode}
	if id == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}
