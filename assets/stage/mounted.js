/** How a component outlives Streamlit's reruns. */

/**
 * The function that the stub of a component calls at the mount and at each change of data (pages/parts/served.py). What
 * it makes lives on its element.
 *
 * Where data change while a call is still on its way, Streamlit takes that call for superseded and calls its clean-up as
 * soon as it has come through, which may be after the newer one did: an old call tells nothing, and no clean-up is a
 * farewell before the element has left the page.
 *
 * @param {(host: Element) => {take: (component: Object) => void, stop: () => void}} make
 */
export function mounting(make) {
  const living = new WeakMap();
  return (component, called) => {
    const host = component.parentElement;
    const life = living.get(host) || { made: make(host), called };
    living.set(host, life);
    if (called >= life.called) {
      life.called = called;
      life.made.take(component);
    }
    return () => {
      if (host.isConnected || living.get(host) !== life) return;
      living.delete(host);
      life.made.stop();
    };
  };
}
