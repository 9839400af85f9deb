/** How a component outlives Streamlit's reruns. */

/**
 * What Streamlit hands to a component at its mount and at each change of its data.
 * @typedef {Object} StreamlitComponent
 * @property {any} data
 * @property {Element} parentElement
 * @property {(name: string, value: any) => void} setStateValue
 * @property {(name: string, value: any) => void} setTriggerValue
 */

/**
 * @typedef {Object} Instance
 * @property {(component: StreamlitComponent) => void} update new data has come
 * @property {() => void} destroy the component has left the page
 */

/**
 * The function that the stub of a component calls at the mount and at each change of data. What `make` returns is kept
 * for as long as its element is in the page.
 *
 * Where data change while a call is still on its way, Streamlit takes that call for superseded and runs its clean-up as
 * soon as it has come through, which may be after the newer one did: data of an older call are dropped, and a clean-up
 * destroys nothing before the element has left the page.
 *
 * @param {(parent: Element) => Instance} make
 */
export function component(make) {
  /** @type {WeakMap<Element, {instance: Instance, called: number}>} */
  const mounted = new WeakMap();
  /**
   * @param {StreamlitComponent} given
   * @param {number} called when the stub was called, by the browser's clock
   */
  return (given, called) => {
    const parent = given.parentElement;
    const entry = mounted.get(parent) || { instance: make(parent), called };
    mounted.set(parent, entry);
    if (called >= entry.called) {
      entry.called = called;
      entry.instance.update(given);
    }
    return () => {
      if (parent.isConnected || mounted.get(parent) !== entry) return;
      mounted.delete(parent);
      entry.instance.destroy();
    };
  };
}
