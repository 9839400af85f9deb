/** How a component outlives Streamlit's reruns. */

/** How long a newer call may be on its way, in ms. */
const LATE = 2000;

/**
 * The function that Streamlit calls at the mount and at each change of data. What it makes lives on its element.
 *
 * Streamlit loads the stub of each call anew. Where data changes twice in quick succession, the older call comes to its
 * end as superseded and its clean-up is called, maybe before the newer call has come through: that is no farewell. On
 * an element that is still in the page a clean-up waits whether somebody comes.
 *
 * @param {(host: Element) => {take: (component: Object) => void, stop: () => void}} make
 */
export function mounting(make) {
  const living = new WeakMap();
  return (component) => {
    const host = component.parentElement;
    const life = living.get(host) || { made: make(host), calls: 0 };
    living.set(host, life);
    life.calls += 1;
    const call = life.calls;
    life.made.take(component);
    const end = () => {
      if (life.calls !== call || living.get(host) !== life) return;
      living.delete(host);
      life.made.stop();
    };
    return () => (host.isConnected ? setTimeout(end, LATE) : end());
  };
}
