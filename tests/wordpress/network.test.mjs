// A network of sites: each has its own key and its own users.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startWordPress } from './support/wordpress.mjs';

for (const version of /** @type {const} */ (['oldest', 'current'])) {
  describe(`a network, on the ${version} WordPress`, () => {
    /** @type {Awaited<ReturnType<typeof startWordPress>>} */
    let wordpress;
    before(async () => {
      wordpress = await startWordPress({ version, network: true });
    });
    after(() => wordpress?.stop());

    it('gives every site its key and its right to publish, and takes all of it along', async () => {
      const sites = await wordpress.php(`
        $main = get_site();
        $new  = wp_insert_site( array( 'domain' => $main->domain, 'path' => $main->path . 'second/', 'title' => 'Second', 'network_id' => 1, 'user_id' => 1 ) );
        if ( is_wp_error( $new ) ) {
          return $new;
        }
        // Old versions remove ports from domains.
        global $wpdb;
        $wpdb->update( $wpdb->blogs, array( 'domain' => $main->domain ), array( 'blog_id' => $new ) );
        clean_blog_cache( $new );
        foreach ( array( 'home', 'siteurl' ) as $option ) {
          update_blog_option( $new, $option, untrailingslashit( 'http://' . $main->domain . $main->path . 'second/' ) );
        }
        $out = array();
        foreach ( array( 1, $new ) as $id ) {
          switch_to_blog( $id );
          $out[] = array(
            'key'     => Lianmai\\Key::set()['keys'][0]['kid'],
            'issuer'  => Lianmai\\Token::issuer(),
            'jwks'    => get_rest_url( $id, 'lianmai/v1/jwks' ),
            'author'  => get_role( 'author' )->has_cap( Lianmai\\Capability::NAME ),
            'reader'  => get_role( 'subscriber' )->has_cap( Lianmai\\Capability::NAME ),
          );
          restore_current_blog();
        }
        return $out;`);
      assert.equal(sites.length, 2);
      assert.notEqual(sites[0].key, sites[1].key);
      assert.notEqual(sites[0].issuer, sites[1].issuer);
      for (const { author, reader } of sites) assert.deepEqual([author, reader], [true, false]);
      const served = await Promise.all(sites.map(async ({ jwks }) => (await fetch(jwks)).json()));
      assert.deepEqual(served.map(({ keys }) => keys[0].kid), sites.map(({ key }) => key));
      const left = await wordpress.php(`
        deactivate_plugins( 'lianmai/lianmai.php', true, true );
        uninstall_plugin( 'lianmai/lianmai.php' );
        wp_cache_flush();
        global $wpdb;
        $out = array();
        foreach ( get_sites( array( 'fields' => 'ids' ) ) as $id ) {
          switch_to_blog( $id );
          $out = array_merge( $out, $wpdb->get_col( "SELECT option_name FROM $wpdb->options WHERE option_name LIKE '%lianmai%'" ) );
          $out = array_merge( $out, preg_grep( '/lianmai/', array_keys( get_role( 'author' )->capabilities ) ) );
          restore_current_blog();
        }
        return array_merge( $out, $wpdb->get_col( "SELECT meta_key FROM $wpdb->sitemeta WHERE meta_key LIKE '%lianmai%'" ) );`);
      assert.deepEqual(left, []);
    });

    it('leaves PHP nothing to complain of', () => assert.deepEqual(wordpress.complaints(), []));
  });
}
