<?php
/**
 * The rights to publish, and to host rooms.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Gives the rights to the roles that publish posts. It does so once, so that later changes by a role editor stay. */
final class Capability {
	public const NAME = 'lianmai_publish';

	/** The right to host this site's rooms. */
	public const HOST = 'lianmai_host';

	public const ALL = array( self::NAME, self::HOST );

	/** The option with the rights that were given: 1 for the first, 2 for both. */
	public const GIVEN = 'lianmai_capability';

	private const ROLES = array( 'author', 'editor', 'administrator' );

	/** Hooks activation, new sites, and sites that were activated without a hook. */
	public static function register(): void {
		register_activation_hook( FILE, array( self::class, 'activate' ) );
		add_action( 'wp_initialize_site', array( self::class, 'new_site' ), 100 );
		// Some tools and must-use loaders activate a plugin without its activation hook.
		add_action( 'admin_init', array( self::class, 'give' ) );
	}

	/** Gives the rights at activation, on this site or on every site of the network. */
	public static function activate( bool $network_wide = false ): void {
		if ( ! $network_wide || ! is_multisite() ) {
			self::give();
			return;
		}
		foreach ( get_sites(
			array(
				'fields' => 'ids',
				'number' => 0,
			)
		) as $site ) {
			switch_to_blog( (int) $site );
			self::give();
			restore_current_blog();
		}
	}

	/** Gives the rights on a new site of a network where the plugin is active. */
	public static function new_site( \WP_Site $site ): void {
		if ( ! array_key_exists( plugin_basename( FILE ), (array) get_site_option( 'active_sitewide_plugins', array() ) ) ) {
			return;
		}
		switch_to_blog( (int) $site->blog_id );
		self::give();
		restore_current_blog();
	}

	/** Gives the rights on this site, unless that was done before. */
	public static function give(): void {
		$given = (int) get_option( self::GIVEN, 0 );
		if ( $given >= count( self::ALL ) ) {
			return;
		}
		update_option( self::GIVEN, count( self::ALL ), true );
		$roles = array_filter( array_map( 'get_role', $given > 0 ? array_keys( wp_roles()->roles ) : self::ROLES ) );
		foreach ( $roles as $role ) {
			// Version 0.1.0 had one right. Roles with the first right get the second, even if a role editor has changed them.
			if ( 0 === $given ) {
				$role->add_cap( self::NAME );
			}
			if ( $role->has_cap( self::NAME ) ) {
				$role->add_cap( self::HOST );
			}
		}
	}
}
